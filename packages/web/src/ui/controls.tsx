// The few controls of the page: native ones, which keyboards and screen readers know.

import type { ReadonlySignal, Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

/** What a control shows and sets: a signal, or whatever takes the next value. */
type Chosen<T> =
  | { readonly value: Signal<T>; readonly onValue?: undefined }
  | { readonly value: ReadonlySignal<T>; readonly onValue: (value: T) => void };

/** One of a few. `onValue` takes it in place of the signal. */
export function Choice<T extends string>({
  label,
  isLabelHidden = false,
  value,
  options,
  disabled = false,
  onValue,
}: {
  label: string;
  /** For screen readers alone, where the options speak for themselves. */
  isLabelHidden?: boolean;
  options: readonly { readonly value: T; readonly text: string; readonly disabled?: boolean }[];
  /** Whether none can be chosen. */
  disabled?: boolean;
} & Chosen<T>) {
  const name = useId();
  const set =
    onValue ??
    ((next: T) => {
      value.value = next;
    });
  return (
    <fieldset class="choice" disabled={disabled}>
      <legend class={isLabelHidden ? "visually-hidden" : ""}>{label}</legend>
      <div class="choice-row">
        {options.map(({ value: own, text, disabled = false }) => (
          <label key={own}>
            <input
              type="radio"
              name={name}
              checked={value.value === own}
              disabled={disabled}
              onChange={() => set(own)}
            />
            <span>{text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

interface SliderProps {
  readonly label: string;
  readonly min: number;
  readonly max: number;
  /** What it moves by; default: 1. */
  readonly step?: number;
  readonly format: (value: number) => string;
  /** Words for both ends. */
  readonly ends?: readonly [string, string];
}

/** A number from a range of whole ones. `onValue` takes it in place of the signal. */
export function Slider({
  label,
  value,
  min,
  max,
  step,
  format,
  ends,
  onValue,
}: SliderProps & Chosen<number>) {
  const set =
    onValue ??
    ((next: number) => {
      value.value = next;
    });
  const id = useId();
  const { value: now } = value;
  return (
    <div class="slider">
      <label for={id}>{label}</label>
      <output for={id}>{format(now)}</output>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={step}
        value={now}
        aria-valuetext={format(now)}
        onInput={(event) => set(event.currentTarget.valueAsNumber)}
      />
      {ends && (
        <div class="slider-ends" aria-hidden="true">
          <span>{ends[0]}</span>
          <span>{ends[1]}</span>
        </div>
      )}
    </div>
  );
}

/** On or off. */
export function Switch({ label, value }: { label: string; value: Signal<boolean> }) {
  return (
    <label class="switch">
      <span>{label}</span>
      <input
        type="checkbox"
        role="switch"
        checked={value.value}
        aria-checked={value.value}
        onChange={(event) => {
          value.value = event.currentTarget.checked;
        }}
      />
    </label>
  );
}

/** For file dialogues: browsers do not count TIFF, Netpbm and DICOM among pictures everywhere. */
export const PICTURES = "image/*,.tif,.tiff,.ppm,.pgm,.pbm,.pnm,.dcm,.gz";

/** A button that opens the file dialogue; with `folder`, the one for folders. */
export function FileButton({
  children,
  accept,
  multiple = false,
  folder = false,
  className = "button",
  onFiles,
}: {
  children: ComponentChildren;
  accept?: string;
  multiple?: boolean;
  folder?: boolean;
  className?: string;
  onFiles: (files: readonly File[]) => void;
}) {
  return (
    <label class={className}>
      {children}
      <input
        class="visually-hidden"
        type="file"
        accept={accept}
        multiple={multiple}
        // No attribute of HTML's own, though every browser knows it.
        ref={(input) => {
          if (input !== null) input.webkitdirectory = folder;
        }}
        onChange={({ currentTarget }) => {
          onFiles([...(currentTarget.files ?? [])]);
          // The same file may be chosen again.
          currentTarget.value = "";
        }}
      />
    </label>
  );
}

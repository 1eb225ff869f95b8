// The brush and what becomes of its work.

import { Check, PenLine, Undo2, X } from "lucide";
import { useEffect, useRef } from "preact/hooks";
import { Choice, Slider } from "../ui/controls.tsx";
import { Icon } from "../ui/icon.tsx";
import { beginCorrecting, brushSize, discard, keep, strokes, tool, undo } from "./correcting.ts";
import { isCorrecting, isOpening } from "./look.ts";

/** Correcting the mask by hand. */
export function Correction() {
  const section = useRef<HTMLElement>(null);
  const { value: isOpen } = isCorrecting;
  useEffect(() => {
    if (isOpen) section.current?.scrollIntoView({ block: "nearest" });
  }, [isOpen]);
  if (!isOpen) {
    return (
      <section class="group" aria-label="Correction">
        <button
          type="button"
          class="button quiet"
          disabled={isOpening.value}
          onClick={() => void beginCorrecting()}
        >
          <Icon node={PenLine} /> Correct the mask by hand
        </button>
      </section>
    );
  }
  return (
    <section class="group" aria-label="Correction" ref={section}>
      <h2>Correct the mask</h2>
      <Choice
        label="Brush"
        value={tool}
        options={[
          { value: "add", text: "Add vessel" },
          { value: "erase", text: "Erase" },
        ]}
      />
      <Slider label="Width" value={brushSize} min={1} max={60} format={(size) => `${size} px`} />
      <p class="small">
        Draw on the photograph. To move it, drag with Shift or with two fingers. The space bar draws in the
        middle of the stage.
      </p>
      <div class="button-row">
        <button type="button" class="button small-button" disabled={strokes.value === 0} onClick={undo}>
          <Icon node={Undo2} size={15} /> Undo
        </button>
        <button type="button" class="button small-button" onClick={() => void keep()}>
          <Icon node={Check} size={15} /> Keep as truth
        </button>
        <button type="button" class="button quiet small-button" onClick={() => void discard()}>
          <Icon node={X} size={15} /> Discard
        </button>
      </div>
    </section>
  );
}

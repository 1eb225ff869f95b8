// Which calibration the threshold is of, and what is known of it.

import { useSignal } from "@preact/signals";
import { FolderOpen, RotateCcw } from "lucide";
import { useEffect } from "preact/hooks";
import { FileButton } from "../ui/controls.tsx";
import { count } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import {
  calibration,
  endCalibration,
  isAtCalibration,
  isFittedTo,
  type NamedCalibration,
  openCalibration,
} from "./calibration.ts";
import type { Item } from "./items.ts";

/** The calibration in use, and the way to another. */
export function CalibrationChoice() {
  const { value: own } = calibration;
  return (
    <section class="group" aria-label="Calibration">
      {own === undefined ? <p class="small">Calibration: none</p> : <Known {...own} />}
      <div class="button-row">
        <FileButton
          accept=".json"
          className="button quiet"
          onFiles={([file]) => file && void openCalibration(file)}
        >
          <Icon node={FolderOpen} /> Open calibration
        </FileButton>
        {own !== undefined && (
          <button type="button" class="button quiet" onClick={endCalibration}>
            <Icon node={RotateCcw} /> Back to 0.50
          </button>
        )}
      </div>
    </section>
  );
}

function Known({ name, threshold, photographs, before, fitted, leaveOneOut, warnings }: NamedCalibration) {
  const others = leaveOneOut ? `, ${leaveOneOut.f1.toFixed(3)} for each at the threshold of the others` : "";
  return (
    <>
      <p class="small" role="status">
        Calibration: {name}, threshold {threshold}
        {!isAtCalibration.value && " (moved by hand since)"}; F1 of its {count(photographs, "photograph")}{" "}
        {before.toFixed(3)} at 0.5, {fitted.toFixed(3)} at {threshold}
        {others}
      </p>
      {warnings.map((warning) => (
        <p key={warning} class="doubts">
          {warning}
        </p>
      ))}
    </>
  );
}

/** What is to be known of a photograph's figures where the threshold was fitted to it. */
export function FittedTo({ item: { file, id } }: { item: Item }) {
  const { value: own } = calibration;
  const isFitted = useSignal(false);
  useEffect(() => {
    let isCurrent = true;
    isFitted.value = false;
    if (own !== undefined)
      void isFittedTo(own, file).then((answer) => {
        if (isCurrent) isFitted.value = answer;
      });
    return () => {
      isCurrent = false;
    };
  }, [own, id]);
  if (own === undefined || !isFitted.value) return null;
  return <p class="doubts">{own.name} was fitted to this photograph, so its figures flatter.</p>;
}

// Chapters 1 and 13: an answer becomes "vessel" from a threshold on. The threshold is the reader's.

import { signal } from "@preact/signals";
import { confusion, metricsFromConfusion } from "@saunet/model";
import { useEffect } from "preact/hooks";
import { eye } from "../../../../docs/book/eye.ts";
import { opaque, paint } from "../pictures/paint.ts";
import { duration, percent } from "../ui/format.ts";
import { Pixels } from "../ui/pixels.tsx";
import { openNetwork } from "./network.ts";

const { width, height } = eye.image;
const truth = eye.vessels.data;
const fieldOfView = eye.fieldOfView.data;
const photograph = opaque(eye.image);

/** An answer under the slider: hits white, misses blue, false alarms yellow. */
function Judged({
  probability,
  threshold,
  choose,
  label,
}: {
  readonly probability: Float32Array;
  readonly threshold: number;
  readonly choose: (threshold: number) => void;
  readonly label: string;
}) {
  const { f1, precision, sensitivity } = judge(probability, threshold);
  const answer = paint({ width, height, probability, field: fieldOfView, truth }, "errors", threshold, true);
  return (
    <div class="island">
      <label>
        {label}{" "}
        <input
          type="range"
          min="0.01"
          max="0.99"
          step="0.01"
          value={threshold}
          onInput={({ currentTarget: { valueAsNumber } }) => choose(valueAsNumber)}
        />
      </label>
      <div class="island-layers">
        <Pixels image={photograph} label="The synthetic eye" />
        <Pixels image={answer} label="Hits white, missed vessels blue, false alarms yellow" />
      </div>
      <output>
        precision {percent(precision)}, sensitivity {percent(sensitivity)}, F1{" "}
        <strong>{f1.toFixed(3)}</strong>
      </output>
      <p class="small">White: found. Blue: missed. Yellow: false alarm.</p>
    </div>
  );
}

function judge(probability: Float32Array, threshold: number) {
  const counts = confusion({ probability, truth, fieldOfView }, threshold);
  const { f1, sensitivity } = metricsFromConfusion(counts);
  const marked = counts.truePositives + counts.falsePositives;
  return { f1, sensitivity, precision: marked === 0 ? 0 : counts.truePositives / marked };
}

const darkness = Float32Array.from({ length: width * height }, (_, i) => 1 - eye.image.data[3 * i + 1] / 255);
const dark = signal(0.8);

export function DarkIsland() {
  const green = Math.round(255 * (1 - dark.value));
  return (
    <Judged
      probability={darkness}
      threshold={dark.value}
      choose={(threshold) => {
        dark.value = threshold;
      }}
      label={`Vessel where green is at most ${green}:`}
    />
  );
}

const answered = signal<{ readonly probability: Float32Array; readonly seconds: number } | undefined>(
  undefined,
);
const half = signal(0.5);

async function answer(): Promise<void> {
  const segmenter = await openNetwork();
  // The first run of a size compiles.
  await segmenter.segment(eye.image);
  const start = performance.now();
  const { probability } = await segmenter.segment(eye.image);
  answered.value = { probability, seconds: (performance.now() - start) / 1000 };
}

export function NetworkIsland() {
  useEffect(() => void answer(), []);
  if (answered.value === undefined) return <p>The network looks at the eye …</p>;
  const { probability, seconds } = answered.value;
  return (
    <>
      <Judged
        probability={probability}
        threshold={half.value}
        choose={(threshold) => {
          half.value = threshold;
        }}
        label={`Vessel from a probability of ${half.value.toFixed(2)}:`}
      />
      <p class="small">Computed by the engine in this browser, on one thread, in {duration(seconds)}.</p>
    </>
  );
}

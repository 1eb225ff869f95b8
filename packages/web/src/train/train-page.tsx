import { computed, signal } from "@preact/signals";
import { Pause, Play, RotateCcw } from "lucide";
import { useEffect } from "preact/hooks";
import { count } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { Pixels } from "../ui/pixels.tsx";
import { BATCH, CROP } from "./batch.ts";
import { Chart, type Curve } from "./chart.tsx";
import { Plan } from "./plan.tsx";
import {
  begin,
  curves,
  failure,
  heldOut,
  meetSubject,
  pause,
  reset,
  runState,
  speed,
  step,
  stepTime,
  subject,
} from "./state.ts";
import "../styles/train.css";

const lossCurve = computed((): Curve => {
  const { steps, smooth, losses } = curves.value;
  return { steps, values: smooth, faint: losses };
});
const f1Curve = computed((): Curve => ({ steps: curves.value.heldOutSteps, values: curves.value.f1 }));

const isMet = signal(true);

async function meet(): Promise<void> {
  isMet.value = true;
  failure.value = undefined;
  try {
    await meetSubject();
  } catch (error) {
    failure.value = `The engine did not start: ${(error as Error).message}.`;
    isMet.value = false;
  }
}

/** The network learns, and a person looks on. */
export function TrainPage() {
  useEffect(() => void meet(), []);
  return (
    <>
      <div class="intro">
        <div>
          <h1>Train it here</h1>
          <p class="lead">
            The network learns on synthetic photographs that are drawn as it goes, so the truth is known to
            the pixel, or on your own photographs with their masks. The one below it never learns from.
          </p>
        </div>
        <Controls />
      </div>
      {failure.value && (
        <p class="notice" role="alert">
          {failure.value}
          {!isMet.value && (
            <button type="button" class="button quiet small-button" onClick={() => void meet()}>
              Try again
            </button>
          )}
        </p>
      )}
      <div class="train-top">
        <HeldOutView />
        <Progress />
      </div>
      <div class="charts">
        <figure>
          <figcaption>
            <h2>Loss</h2>
            <span class="small">
              half cross entropy, half 1 − MCC; a batch is {BATCH} crops of {CROP} × {CROP}
            </span>
          </figcaption>
          <Chart label="The loss of each step" curve={lossCurve} />
        </figure>
        <figure>
          <figcaption>
            <h2>F1, held out</h2>
            <span class="small">on the photograph above, at a threshold of 0.5</span>
          </figcaption>
          <Chart label="F1 on the held-out photograph" curve={f1Curve} />
        </figure>
      </div>
      <Plan />
    </>
  );
}

function Controls() {
  const { value: state } = runState;
  return (
    <div class="button-row">
      {state === "running" || state === "pausing" ? (
        <button type="button" class="button primary" disabled={state === "pausing"} onClick={pause}>
          <Icon node={Pause} /> {state === "pausing" ? "Pausing …" : "Pause"}
        </button>
      ) : (
        <button type="button" class="button primary" disabled={subject.value === undefined} onClick={begin}>
          <Icon node={Play} /> {state === "paused" || state === "kept" ? "Resume" : "Train"}
        </button>
      )}
      <button type="button" class="button" disabled={state === "idle"} onClick={reset}>
        <Icon node={RotateCcw} /> Reset
      </button>
    </div>
  );
}

function HeldOutView() {
  const { value: seen } = subject;
  const { value: now } = heldOut;
  return (
    <ul class="held-out" aria-label="The held-out photograph">
      <li>
        {seen ? <Pixels image={seen.photograph} /> : <div class="pixels empty" />}
        <span>Photograph</span>
      </li>
      <li>
        {now ? (
          <Pixels image={now.prediction} label="What the network finds in the held-out photograph now" />
        ) : (
          <div class="pixels empty">Nothing yet</div>
        )}
        <span>Found {now && `after ${count(curves.value.heldOutSteps.at(-1) ?? 0, "step")}`}</span>
      </li>
      <li>
        {seen ? <Pixels image={seen.truth} /> : <div class="pixels empty" />}
        <span>Truth</span>
      </li>
    </ul>
  );
}

function Progress() {
  const { value: time } = stepTime;
  const loss = curves.value.smooth.at(-1);
  const facts = [
    ["Steps", String(step.value), "step"],
    ["A step takes", Number.isNaN(time) ? "–" : `${time.toFixed(0)} ms`, "step-time"],
    ["Crops a second", Number.isNaN(speed.value) ? "–" : speed.value.toFixed(0), "speed"],
    ["Loss", loss?.toFixed(3) ?? "–", "loss"],
    ["F1, held out", heldOut.value?.f1.toFixed(3) ?? "–", "held-out-f1"],
    ["AUC, held out", heldOut.value?.auc.toFixed(3) ?? "–", "held-out-auc"],
    ["Threads", String(subject.value?.threads ?? "–"), "threads"],
  ] as const;
  return (
    <dl class="facts">
      {facts.map(([term, value, id]) => (
        <div key={id}>
          <dt>{term}</dt>
          <dd data-testid={id}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

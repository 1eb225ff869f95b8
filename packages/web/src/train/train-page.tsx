import { computed } from "@preact/signals";
import { Check, Download, FolderOpen, Pause, Play, RotateCcw } from "lucide";
import { useEffect } from "preact/hooks";
import { openTab } from "../tabs.ts";
import { Choice, FileButton, Slider } from "../ui/controls.tsx";
import { download } from "../ui/download.ts";
import { count } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { Pixels } from "../ui/pixels.tsx";
import { BATCH, CROP } from "./batch.ts";
import { Chart, type Curve } from "./chart.tsx";
import {
  begin,
  curves,
  failure,
  heldOut,
  keptStep,
  learnedWeights,
  learningRate,
  meetSubject,
  opened,
  openStart,
  pause,
  reset,
  runState,
  setLearningRate,
  speed,
  start,
  step,
  stepTime,
  subject,
  useLearned,
} from "./state.ts";
import "../styles/train.css";

const lossCurve = computed((): Curve => {
  const { steps, smooth, losses } = curves.value;
  return { steps, values: smooth, faint: losses };
});
const f1Curve = computed((): Curve => ({ steps: curves.value.heldOutSteps, values: curves.value.f1 }));

/** The network learns, and a person looks on. */
export function TrainPage() {
  useEffect(() => {
    meetSubject().catch((error: Error) => {
      failure.value = `The engine did not start: ${error.message}`;
    });
  }, []);
  return (
    <>
      <div class="intro">
        <div>
          <h1>Train it here</h1>
          <p class="lead">
            The network learns on synthetic photographs that are drawn as it goes, so the truth is known to
            the pixel. The one below it never learns from.
          </p>
        </div>
        <Controls />
      </div>
      {failure.value && (
        <p class="notice" role="alert">
          {failure.value}
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

/** What can be chosen before, and taken along after. */
function Plan() {
  const isIdle = runState.value === "idle";
  // A run that was kept is read when it is taken up again.
  const isHere = step.value > 0 && runState.value !== "kept";
  const saveWeights = async () => {
    const bytes = await learnedWeights();
    const file = new Blob([bytes as Uint8Array<ArrayBuffer>], { type: "application/octet-stream" });
    download(`sa-unet-v2-${step.value}-steps.safetensors`, file);
  };
  const useNow = async () => {
    await useLearned();
    openTab("segment");
  };
  return (
    <div class="plan">
      <section aria-label="Plan">
        <Choice
          label="Start from"
          value={start}
          options={[
            { value: "fresh", text: "Fresh numbers", disabled: !isIdle },
            { value: "shipped", text: "The shipped weights", disabled: !isIdle },
            { value: "file", text: "A file", disabled: !isIdle || opened.value === undefined },
          ]}
        />
        {isIdle && (
          <FileButton
            accept=".safetensors"
            className="button quiet"
            onFiles={([file]) => file && void openStart(file)}
          >
            <Icon node={FolderOpen} /> {opened.value ? opened.value.name : "Open weights or a checkpoint"}
          </FileButton>
        )}
        <Slider
          label="Learning rate"
          value={learningRate}
          min={1}
          max={50}
          format={(value) => (value / 10_000).toFixed(4)}
          onValue={setLearningRate}
        />
      </section>
      <section aria-label="The weights as they are now">
        <h2>Take it along</h2>
        {keptStep.value > 0 && (
          <p class="small" data-testid="kept">
            This browser keeps the run up to step {keptStep.value}; it can be taken up again after the tab was
            closed.
          </p>
        )}
        <div class="button-row">
          <button type="button" class="button" disabled={!isHere} onClick={useNow}>
            <Icon node={Check} /> Segment with these weights
          </button>
          <button type="button" class="button" disabled={!isHere} onClick={saveWeights}>
            <Icon node={Download} /> Weights
          </button>
        </div>
      </section>
    </div>
  );
}

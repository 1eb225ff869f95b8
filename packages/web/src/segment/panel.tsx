// Beside the stage: what was found, how it is seen, and what can be taken along.

import { computed } from "@preact/signals";
import { METRIC_NAMES, METRIC_TITLES, metricsFromConfusion } from "@saunet/model";
import { FolderOpen, RotateCcw } from "lucide";
import { ERROR_COLOURS } from "../pictures/paint.ts";
import { RAMP_GRADIENT } from "../pictures/ramp.ts";
import { confusionAt, densityAt, STEPS, type Tally } from "../pictures/tally.ts";
import { Choice, FileButton, Slider, Switch } from "../ui/controls.tsx";
import { count, duration, percent } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { titleOf } from "../weights.ts";
import { CalibrationChoice, FittedTo } from "./calibration-panel.tsx";
import { Correction } from "./correction-panel.tsx";
import { VesselFiguresPanel } from "./figures-panel.tsx";
import { type Item, items, type Result, resultOf, selected } from "./items.ts";
import { fieldOnly, isCorrecting, layer, mode, opacity, threshold, thresholdText } from "./look.ts";
import { MaskChoice, StrayMasks } from "./mask-panel.tsx";
import { masksOf } from "./masks.ts";
import { again, engineReport, networkInUse, openWeights, useWeights, weightsInUse } from "./queue.ts";
import { TakeAlong } from "./take-along.tsx";

/** The column beside the stage. */
export function Panel() {
  const item = items.value && selected();
  const result = resultOf(item);
  return (
    <aside class="panel" aria-label="Results and controls">
      {/* What is used all the time comes first. */}
      {isCorrecting.value && <Correction />}
      <Summary item={item} result={result} />
      <fieldset aria-label="View" class="group" disabled={result === undefined}>
        <Choice
          label="View"
          value={mode}
          options={[
            { value: "compare", text: "Before / after" },
            { value: "side", text: "Side by side" },
            { value: "overlay", text: "Overlay" },
          ]}
          disabled={isCorrecting.value}
        />
        <Choice
          label="Show"
          value={shownLayer}
          onValue={(next) => {
            layer.value = next;
          }}
          options={[
            { value: "mask", text: "Vessels" },
            { value: "probability", text: "Probability" },
            { value: "errors", text: "Errors", disabled: !result?.tally.hasTruth },
          ]}
          disabled={isCorrecting.value}
        />
        {shownLayer.value === "errors" && !isCorrecting.value && <Legend />}
        {shownLayer.value === "probability" && !isCorrecting.value && <Scale />}
        <Slider
          label="Threshold"
          value={thoroughness}
          min={10}
          max={STEPS - 10}
          step={10}
          format={(k) => thresholdText(STEPS - k)}
          ends={["sparing", "thorough"]}
          onValue={(k) => {
            threshold.value = STEPS - k;
          }}
        />
        <Slider label="Opacity" value={opacity} min={0} max={100} format={(k) => `${k} %`} />
        <Switch label="Only the field of view" value={fieldOnly} />
      </fieldset>
      {item && <Comparison item={item} result={result} />}
      <VesselFiguresPanel item={item} result={result} />
      {!isCorrecting.value && result && <Correction />}
      <StrayMasks />
      <TakeAlong item={item} result={result} />
      <Weights />
      <CalibrationChoice />
    </aside>
  );
}

function Summary({ item, result }: { item: Item | undefined; result: Result | undefined }) {
  if (item?.progress.kind === "cancelled") {
    return (
      <section class="group" aria-label="Result">
        <button type="button" class="button" onClick={() => again(item.id)}>
          <Icon node={RotateCcw} /> Segment it after all
        </button>
      </section>
    );
  }
  if (item?.progress.kind === "failed") {
    return (
      <section class="group" aria-label="Result">
        <p class="small">It could not be segmented.</p>
      </section>
    );
  }
  return (
    <section class="group" aria-label="Result">
      <p class="figure" aria-live="polite">
        <strong data-testid="density">
          {result ? percent(densityAt(result.tally, threshold.value, fieldOnly.value)) : "–"}
        </strong>
        <span>of the {fieldOnly.value ? "field of view" : "picture"} is vessel</span>
      </p>
      {result && (
        <p class="small">
          {result.width} × {result.height} pixels
          {result.scale !== 1 && `, seen ${result.scale.toFixed(2)} × as large,`} in{" "}
          <span data-testid="time">{duration(result.seconds)}</span>, {count(result.threads, "thread")}
        </p>
      )}
      {result && result.doubts.length > 0 && (
        <p class="doubts" role="status">
          This may be no photograph of the retina: {result.doubts.join("; ")}.
        </p>
      )}
      <WhyNotMore />
    </section>
  );
}

/** The masks of the photograph, and the figures against the one that is its truth. */
function Comparison({ item, result }: { item: Item; result: Result | undefined }) {
  const hasMasks = masksOf(item.id, "vessels").length + masksOf(item.id, "field").length > 0;
  if (!hasMasks) return null;
  return (
    <section class="group" aria-label="Comparison">
      <MaskChoice item={item} kind="vessels" label="Against the truth" />
      {result?.tally.hasTruth && <Quality tally={result.tally} />}
      {result?.tally.hasTruth && <FittedTo item={item} />}
      <MaskChoice item={item} kind="field" label="Field of view" />
    </section>
  );
}

/** Why the engine has no more threads than it has. */
function WhyNotMore() {
  const { value: report } = engineReport;
  if (report === undefined) return <p class="small">Starting the engine …</p>;
  return report.reasons.length > 0 ? <p class="small why">{report.reasons.join("; ")}.</p> : null;
}

function Quality({ tally }: { tally: Tally }) {
  const figures = {
    ...metricsFromConfusion(confusionAt(tally, threshold.value, fieldOnly.value)),
    auc: fieldOnly.value ? tally.auc.field : tally.auc.frame,
  };
  return (
    <table class="figures">
      <caption class="visually-hidden">Against the truth</caption>
      <tbody>
        {METRIC_NAMES.map((name) => (
          <tr key={name}>
            <th scope="row">{METRIC_TITLES[name]}</th>
            <td data-testid={name}>{Number.isNaN(figures[name]) ? "–" : figures[name].toFixed(4)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Errors are seen where there is a truth; elsewhere the vessels, until there is one again. */
const shownLayer = computed(() => {
  const hasTruth = items.value && resultOf(selected())?.tally.hasTruth;
  return layer.value === "errors" && !hasTruth ? "mask" : layer.value;
});

/** The other way round: the lower the threshold, the more is called vessel. */
const thoroughness = computed(() => STEPS - threshold.value);

/** What the colours of the probability map stand for. */
function Scale() {
  return (
    <div class="scale" role="img" aria-label="Colours from dark, probability 0, to light, probability 1">
      <span>0</span>
      <span class="scale-bar" style={{ background: RAMP_GRADIENT }}>
        <span class="scale-mark" style={{ left: `${(100 * threshold.value) / STEPS}%` }} />
      </span>
      <span>1</span>
    </div>
  );
}

function Legend() {
  const entries = [
    ["hit", "found"],
    ["missed", "missed"],
    ["falseAlarm", "false alarm"],
  ] as const;
  return (
    <ul class="legend">
      {entries.map(([name, text]) => (
        <li key={name}>
          <span class="swatch" style={{ background: `rgb(${ERROR_COLOURS[name].join(" ")})` }} />
          {text}
        </li>
      ))}
    </ul>
  );
}

function Weights() {
  const { name, bytes } = weightsInUse.value;
  const { value: network } = networkInUse;
  return (
    <section class="group" aria-label="Weights">
      <p class="small">
        Weights: {name}
        {network && ` (${[titleOf(network.name), network.stored].filter(Boolean).join(", ")})`}
      </p>
      <div class="button-row">
        <FileButton
          accept=".safetensors"
          className="button quiet"
          onFiles={([file]) => file && void openWeights(file)}
        >
          <Icon node={FolderOpen} /> Open weights
        </FileButton>
        {bytes !== undefined && (
          <button type="button" class="button quiet" onClick={() => useWeights("shipped")}>
            <Icon node={RotateCcw} /> Back to the shipped ones
          </button>
        )}
      </div>
    </section>
  );
}

// Beside the stage: what was found, how it is seen, and what can be taken along.

import { METRIC_NAMES, METRIC_TITLES, metricsFromCounts } from "@saunet/model";
import { Download as DownloadIcon, FilePlus2, FolderOpen, RotateCcw } from "lucide";
import { ERROR_COLOURS } from "../pictures/paint.ts";
import { confusionAt, densityAt, type Tally } from "../pictures/tally.ts";
import { Choice, FileButton, PICTURES, Slider, Switch } from "../ui/controls.tsx";
import { download, stemOf } from "../ui/download.ts";
import { count, duration, percent } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { csvOf } from "./csv.ts";
import { type Item, items, type Result, resultOf, selected, view } from "./items.ts";
import { fieldOnly, layer, look, mode, opacity, threshold } from "./look.ts";
import { MaskChoice, StrayMasks } from "./mask-panel.tsx";
import { maskInUse, masksOf } from "./masks.ts";
import { addFiles, again, engineReport, openWeights, useWeights, weightsInUse } from "./queue.ts";
import type { Download } from "./view.worker.ts";
import { foundOf } from "./viewer.tsx";

/** The column beside the stage. */
export function Panel() {
  const item = items.value && selected();
  const result = resultOf(item);
  return (
    <aside class="panel" aria-label="Results and controls">
      <Summary item={item} result={result} />
      <section aria-label="View" class="group">
        <Choice
          label="View"
          value={mode}
          options={[
            { value: "compare", text: "Before / after" },
            { value: "side", text: "Side by side" },
            { value: "overlay", text: "Overlay" },
          ]}
        />
        <Choice
          label="Show"
          value={layer}
          options={[
            { value: "mask", text: "Vessels" },
            { value: "probability", text: "Probability" },
            { value: "errors", text: "Errors", disabled: result !== undefined && !result.tally.hasTruth },
          ]}
        />
        {layer.value === "errors" && <Legend />}
        <Slider label="Threshold" value={threshold} min={1} max={99} format={(k) => (k / 100).toFixed(2)} />
        <Slider label="Opacity" value={opacity} min={0} max={100} format={(k) => `${k} %`} />
        <Switch label="Only the field of view" value={fieldOnly} />
      </section>
      {item && <Comparison item={item} result={result} />}
      <StrayMasks />
      {item && result && <TakeAlong item={item} result={result} />}
      <Weights />
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
      <MaskChoice item={item} kind="field" label="Field of view" />
    </section>
  );
}

/** Why the engine has no more threads than it has. */
function WhyNotMore() {
  const { value: report } = engineReport;
  if (report === undefined) return <p class="small">Starting the engine …</p>;
  const { threads, cores, reasons } = report;
  if (reasons.length > 0) return <p class="small why">{reasons.join("; ")}.</p>;
  if (threads === cores)
    return <p class="small why">No more threads: this browser offers {count(cores, "core")}.</p>;
  return null;
}

function Quality({ tally }: { tally: Tally }) {
  const figures = {
    ...metricsFromCounts(confusionAt(tally, threshold.value, fieldOnly.value)),
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

function TakeAlong({ item, result }: { item: Item; result: Result }) {
  const save = async (kind: Download) => {
    const saved = { file: item.file, found: foundOf(result) };
    download(`${stemOf(item.name)}-${kind}.png`, await view.png(saved, kind, look.value));
  };
  const saveCsv = () => {
    const text = csvOf({
      items: items.value,
      step: threshold.value,
      fieldOnly: fieldOnly.value,
      truthOf: ({ id }) => maskInUse(id, "vessels")?.name,
    });
    download("saunet.csv", new Blob([text], { type: "text/csv" }));
  };
  return (
    <section class="group" aria-label="Downloads">
      <h2>Download</h2>
      <div class="button-row">
        {(["mask", "probability", "overlay"] as const).map((kind) => (
          <button key={kind} type="button" class="button small-button" onClick={() => save(kind)}>
            <Icon node={DownloadIcon} size={15} /> {kind[0].toUpperCase() + kind.slice(1)}
            <span class="visually-hidden"> as PNG</span>
          </button>
        ))}
        <button type="button" class="button small-button" onClick={saveCsv}>
          <Icon node={DownloadIcon} size={15} /> CSV<span class="visually-hidden"> of all photographs</span>
        </button>
      </div>
      <FileButton accept={PICTURES} className="button quiet" onFiles={(files) => addFiles(files, item.id)}>
        <Icon node={FilePlus2} /> {result.tally.hasTruth ? "Another mask" : "Compare with a truth mask"}
      </FileButton>
    </section>
  );
}

function Weights() {
  const { name, bytes } = weightsInUse.value;
  return (
    <section class="group" aria-label="Weights">
      <p class="small">Weights: {name}</p>
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

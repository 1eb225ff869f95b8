import { FolderOpen } from "lucide";
import { useEffect } from "preact/hooks";
import { items, selectedId } from "../segment/items.ts";
import { openWeights, weightsInUse } from "../segment/queue.ts";
import { WeightsRefusal } from "../segment/weights-refusal.tsx";
import { tab } from "../tabs.ts";
import { FileButton } from "../ui/controls.tsx";
import { Icon } from "../ui/icon.tsx";
import { Pixels } from "../ui/pixels.tsx";
import { titleOf } from "../weights.ts";
import { Diagram, showLayer } from "./diagram.tsx";
import { LayerDetail } from "./layer-detail.tsx";
import { nameOf } from "./names.ts";
import { candidates, failure, isLooking, lookAt, type Specimen, specimen } from "./state.ts";
import "../styles/inside.css";
import "../styles/layer.css";

/** What every layer computes. */
export function InsidePage() {
  const isThere = items.value && candidates().length > 0;
  const isOpen = tab.value === "inside";
  const { value: weights } = weightsInUse;
  useEffect(() => {
    if (isOpen) void lookAt();
  }, [isThere, isOpen, weights]);
  const { value: anatomy } = specimen;
  return (
    <>
      <div class="intro">
        <div>
          <h1>Inside the network</h1>
          <p class="lead">
            {anatomy
              ? `${titleOf(anatomy.config.name)} has ${anatomy.parameters.toLocaleString("en")} numbers`
              : "A network is many numbers"}
            , learned from examples. These are the pictures that it makes on the way from the photograph to
            its vessels. Click one.
          </p>
        </div>
        <PhotographChoice />
      </div>
      {failure.value && (
        <p class="notice" role="alert">
          {failure.value}
          <button type="button" class="button quiet small-button" onClick={() => void lookAt()}>
            Try again
          </button>
        </p>
      )}
      <WeightsRefusal />
      {isLooking.value && (
        <p class="looking" role="status">
          <span class="spinner" /> Looking at every layer …
        </p>
      )}
      {!isThere && (
        <p class="lead">Choose a photograph in the first tab; then there is something to see here.</p>
      )}
      {anatomy && (
        <>
          <Diagram anatomy={anatomy} />
          {anatomy.isReduced && (
            <p class="small reduced">
              {anatomy.name} was reduced to {anatomy.width} × {anatomy.height} pixels here, so that everything
              fits in memory.
            </p>
          )}
          <LayerDetail anatomy={anatomy} />
          <Attention anatomy={anatomy} />
        </>
      )}
    </>
  );
}

function PhotographChoice() {
  const { value: anatomy } = specimen;
  const open = candidates();
  const current = open.find(({ name }) => name === anatomy?.name)?.id ?? selectedId.value;
  return (
    <div class="photograph-choice">
      <label>
        <span>Photograph</span>
        <select
          value={current ?? ""}
          disabled={isLooking.value || open.length === 0}
          onChange={(event) => {
            selectedId.value = Number(event.currentTarget.value);
            void lookAt();
          }}
        >
          {open.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <FileButton
        accept=".safetensors"
        className="button quiet small-button"
        onFiles={([file]) => file && void openWeights(file)}
      >
        <Icon node={FolderOpen} size={15} />{" "}
        {weightsInUse.value.bytes ? `Weights: ${weightsInUse.value.name}` : "Open weights"}
      </FileButton>
    </div>
  );
}

/** Where it looks: the maps over the photograph. */
function Attention({ anatomy }: { anatomy: Specimen }) {
  if (anatomy.attention.length === 0) return null;
  return (
    <section class="attention" aria-label="Attention">
      <h2>Where it looks</h2>
      <p class="lead">
        The attention maps over the photograph: light where features pass, dark where they are held back.
      </p>
      <ul>
        {anatomy.attention.map(({ id, image, low, high }) => (
          <li key={id}>
            <button type="button" class="attention-map" onClick={() => showLayer(id)}>
              <Pixels image={image} />
              <span>{nameOf(id)}</span>
              <span class="small">
                passes {low.toFixed(2)} to {high.toFixed(2)}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

// What can be chosen before a run, and taken along after.

import { Check, Download, FilePlus2, FolderOpen } from "lucide";
import { addFiles } from "../segment/queue.ts";
import { openTab } from "../tabs.ts";
import { Choice, FileButton, PICTURES, Slider } from "../ui/controls.tsx";
import { download } from "../ui/download.ts";
import { count } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { titleOf } from "../weights.ts";
import {
  candidates,
  checkpointNow,
  chooseLearnFrom,
  heldOutId,
  holdOut,
  keptStep,
  learnedWeights,
  learnFrom,
  learningRate,
  networkLearned,
  opened,
  openStart,
  picturesLearned,
  runState,
  setLearningRate,
  start,
  step,
  useLearned,
} from "./state.ts";

/** The lower part of the page. */
export function Plan() {
  return (
    <div class="plan">
      <section aria-label="Plan">
        <Material />
        <Beginning />
        <Slider
          label="Learning rate"
          value={learningRate}
          min={1}
          max={50}
          format={(value) => (value / 10_000).toFixed(4)}
          onValue={setLearningRate}
        />
      </section>
      <TakeAlong />
    </div>
  );
}

/** What is learned from, and what is held out. */
function Material() {
  const isIdle = runState.value === "idle";
  const { value: own } = candidates;
  const isOwn = learnFrom.value === "own";
  const learned = own.length - (heldOutId.value === undefined ? 0 : 1);
  return (
    <>
      <Choice
        label="Learn from"
        value={learnFrom}
        options={[
          { value: "synthetic", text: "Synthetic photographs", disabled: !isIdle },
          { value: "own", text: "My photographs", disabled: !isIdle || own.length === 0 },
        ]}
        onValue={(what) => void chooseLearnFrom(what)}
      />
      <p class="small" data-testid="material">
        {isIdle
          ? own.length === 0
            ? "Photographs of your own need a mask of their vessels each; drop both here, or on the first tab."
            : `${count(own.length, "photograph")} with a mask of the vessels${isOwn ? `, ${learned} to learn from` : ""}.`
          : picturesLearned.value > 0
            ? `It learns from ${count(picturesLearned.value, "photograph")} of yours.`
            : "It learns from synthetic photographs."}
      </p>
      {isIdle && (
        <FileButton accept={PICTURES} multiple className="button quiet" onFiles={(files) => addFiles(files)}>
          <Icon node={FilePlus2} /> Add photographs and masks
        </FileButton>
      )}
      {isIdle && isOwn && own.length > 1 && (
        <label class="held-out-choice">
          <span>Hold out</span>
          <select
            value={heldOutId.value ?? ""}
            onChange={({ currentTarget: { value } }) =>
              void holdOut(value === "" ? undefined : Number(value))
            }
          >
            <option value="">the synthetic one</option>
            {own.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
    </>
  );
}

/** Which numbers it begins with. */
function Beginning() {
  const isIdle = runState.value === "idle";
  const { value: file } = opened;
  return (
    <>
      <Choice
        label="Start from"
        value={start}
        options={[
          { value: "fresh", text: "Fresh numbers", disabled: !isIdle },
          { value: "shipped", text: "The shipped weights", disabled: !isIdle },
          { value: "file", text: "A file", disabled: !isIdle || file === undefined },
        ]}
      />
      {isIdle && (
        <FileButton
          accept=".safetensors"
          className="button quiet"
          onFiles={([file]) => file && void openStart(file)}
        >
          <Icon node={FolderOpen} /> {file ? file.name : "Open weights or a checkpoint"}
        </FileButton>
      )}
      {networkLearned.value && !isIdle && runState.value !== "kept" && (
        <p class="small" data-testid="network">
          The network that learns is {titleOf(networkLearned.value)}.
        </p>
      )}
      {isIdle && file && start.value === "file" && (
        <p class="small" data-testid="start-file">
          {file.name}: {titleOf(file.network)}
          {file.step > 0 && `, a run of ${count(file.step, "step")}, which goes on`}.
        </p>
      )}
    </>
  );
}

/** A network's name as part of a file's. */
const fileNameOf = (network: string): string => network.toLowerCase().replace(/[^a-z0-9+]+/g, "-");

function TakeAlong() {
  // A run that was kept is read when it is taken up again.
  const isHere = step.value > 0 && runState.value !== "kept";
  const save = async (name: string, made: Promise<Uint8Array>) => {
    const bytes = (await made) as Uint8Array<ArrayBuffer>;
    download(name, new Blob([bytes], { type: "application/octet-stream" }));
  };
  const useNow = async () => {
    await useLearned();
    openTab("segment");
  };
  return (
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
        <button
          type="button"
          class="button"
          disabled={!isHere}
          onClick={() =>
            save(`${fileNameOf(networkLearned.value)}-${step.value}-steps.safetensors`, learnedWeights())
          }
        >
          <Icon node={Download} /> Weights
        </button>
        <button
          type="button"
          class="button"
          disabled={!isHere}
          title="Parameters, optimiser and random state: the run goes on here, or as checkpoint.safetensors of the command"
          onClick={() => save("checkpoint.safetensors", checkpointNow())}
        >
          <Icon node={Download} /> Checkpoint
        </button>
      </div>
    </section>
  );
}

// What the stage says while there is nothing on it to be seen.

import { ImagePlus } from "lucide";
import { FileButton, PICTURES } from "../ui/controls.tsx";
import { Icon } from "../ui/icon.tsx";
import { items, selected } from "./items.ts";
import { isOpening } from "./look.ts";
import { addFiles, engineFailure, engineReport, startAgain } from "./queue.ts";

const Starting = () => (
  <p class="stage-message busy">
    <span class="spinner" /> Starting the engine …
  </p>
);

/** Where there is no photograph at all. */
function DropZone() {
  return (
    <div class="drop-zone">
      <FileButton accept={PICTURES} multiple className="button primary" onFiles={addFiles}>
        <Icon node={ImagePlus} /> Choose photographs
      </FileButton>
      <p>or drop fundus photographs, or a folder of them, anywhere on this page</p>
    </div>
  );
}

/** What stands on the stage where there is no picture yet. */
export function StageMessage() {
  const item = items.value && selected();
  if (engineFailure.value !== undefined) {
    return (
      <p class="stage-message failed" role="alert">
        The engine did not start: {engineFailure.value}.
        <button type="button" class="button small-button" onClick={startAgain}>
          Try again
        </button>
      </p>
    );
  }
  if (item === undefined) return engineReport.value === undefined ? <Starting /> : <DropZone />;
  const { progress } = item;
  switch (progress.kind) {
    case "done":
      return isOpening.value ? (
        <p class="stage-message busy">
          <span class="spinner" /> Opening {item.name} …
        </p>
      ) : null;
    case "failed":
      return <p class="stage-message failed">{progress.message}</p>;
    case "cancelled":
      return <p class="stage-message">{item.name} was cancelled.</p>;
    case "waiting":
      return <p class="stage-message">{item.name} waits for its turn.</p>;
    default:
      return (
        <p class="stage-message busy">
          <span class="spinner" />
          {progress.kind === "reading" ? `Reading ${item.name} …` : `Finding the vessels of ${item.name} …`}
        </p>
      );
  }
}

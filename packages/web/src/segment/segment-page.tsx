import { FolderPlus, ImagePlus, Sparkles } from "lucide";
import { FileButton, PICTURES } from "../ui/controls.tsx";
import { picturesOf } from "../ui/dropped.ts";
import { Icon } from "../ui/icon.tsx";
import { items, notice } from "./items.ts";
import { Panel } from "./panel.tsx";
import { PhotographList } from "./photograph-list.tsx";
import { addExample, addFiles, addFound, EXAMPLE } from "./queue.ts";
import { Viewer } from "./viewer.tsx";
import { WeightsRefusal } from "./weights-refusal.tsx";

/** Photographs in, vessels out. */
export function SegmentPage() {
  // The example brings the introduction along; a photograph of one's own folds it away.
  const isFolded = items.value.some(({ fileName }) => fileName !== EXAMPLE);
  const isEmpty = items.value.length === 0;
  return (
    <>
      <div class={`intro compact ${isFolded ? "folded" : ""}`}>
        <div>
          <h1>The vessels of the retina</h1>
          {!isFolded && (
            <p class="lead">Drop, paste or choose fundus photographs; they never leave this machine.</p>
          )}
        </div>
        <div class="button-row">
          {!isEmpty && (
            <FileButton accept={PICTURES} multiple className="button primary" onFiles={addFiles}>
              <Icon node={ImagePlus} /> Choose photographs
            </FileButton>
          )}
          <FileButton folder className="button" onFiles={(files) => addFound(picturesOf(files))}>
            <Icon node={FolderPlus} /> Choose a folder
          </FileButton>
          <button type="button" class="button" onClick={addExample}>
            <Icon node={Sparkles} /> Synthetic example
          </button>
        </div>
      </div>
      {notice.value && (
        <p class="notice" role="alert">
          {notice.value}
        </p>
      )}
      <WeightsRefusal />
      <div class="workbench">
        <div class="stage-column">
          <Viewer />
          <PhotographList />
        </div>
        <Panel />
      </div>
    </>
  );
}

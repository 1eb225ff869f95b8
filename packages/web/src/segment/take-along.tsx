// What can be taken along: pictures of one photograph, the table of all, and everything in one archive.

import { Download as DownloadIcon, FileArchive, FilePlus2 } from "lucide";
import { FileButton, PICTURES } from "../ui/controls.tsx";
import { download, stemOf } from "../ui/download.ts";
import { Icon } from "../ui/icon.tsx";
import { archiving, saveAll, stopSaving, tableOfAll } from "./archive.ts";
import { type Item, items, type Result, resultOf } from "./items.ts";
import { look } from "./look.ts";
import { unmeasured } from "./measuring.ts";
import { addFiles } from "./queue.ts";
import { type Download, savedOf } from "./saved.ts";
import { view } from "./view.ts";

/** The truth too, where there is one: it may have been drawn here. */
const kindsOf = (result: Result | undefined): readonly Download[] =>
  result?.tally.hasTruth ? ["mask", "probability", "overlay", "truth"] : ["mask", "probability", "overlay"];

/** The downloads. */
export function TakeAlong({ item, result }: { item: Item | undefined; result: Result | undefined }) {
  const finished = items.value.filter((each) => resultOf(each) !== undefined).length;
  const save = async (kind: Download) => {
    if (item === undefined || result === undefined) return;
    const picture = await view.png(savedOf(item, result), kind, look.value);
    download(`${stemOf(item.name)}-${kind}.png`, picture);
  };
  const saveTable = () => download("saunet.csv", new Blob([tableOfAll()], { type: "text/csv" }));
  return (
    <section class="group" aria-label="Downloads">
      <h2>Download</h2>
      <div class="button-row">
        {kindsOf(result).map((kind) => (
          <button
            key={kind}
            type="button"
            class="button small-button"
            disabled={result === undefined}
            onClick={() => save(kind)}
          >
            <Icon node={DownloadIcon} size={15} /> {kind[0].toUpperCase() + kind.slice(1)}
            <span class="visually-hidden"> as PNG</span>
          </button>
        ))}
        <button
          type="button"
          class="button small-button"
          disabled={items.value.length === 0 || unmeasured.value > 0}
          onClick={saveTable}
        >
          <Icon node={DownloadIcon} size={15} /> CSV<span class="visually-hidden"> of all photographs</span>
        </button>
        {items.value.length > 1 && (
          <button
            type="button"
            class="button small-button"
            disabled={finished === 0 || unmeasured.value > 0 || archiving.value !== undefined}
            onClick={() => void saveAll()}
          >
            <Icon node={FileArchive} size={15} /> All as ZIP
          </button>
        )}
      </div>
      <Archiving />
      {item && result && (
        <FileButton accept={PICTURES} className="button quiet" onFiles={(files) => addFiles(files, item.id)}>
          <Icon node={FilePlus2} /> {result.tally.hasTruth ? "Another mask" : "Compare with a truth mask"}
        </FileButton>
      )}
    </section>
  );
}

function Archiving() {
  const { value: now } = archiving;
  if (now === undefined) return null;
  return (
    <div class="queue-progress">
      <progress value={now.done} max={now.all} aria-label="Photographs put into the ZIP" />
      <span role="status">
        {now.done} of {now.all}
      </span>
      <button type="button" class="button quiet small-button" onClick={stopSaving}>
        Stop
      </button>
    </div>
  );
}

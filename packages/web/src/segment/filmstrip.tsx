// The photographs as a strip of small pictures.

import { CircleAlert, FileDown, X } from "lucide";
import { Icon } from "../ui/icon.tsx";
import { type Item, items, selectedId } from "./items.ts";
import { remove } from "./queue.ts";

/** What became of a photograph, in words. */
export const STATES: Readonly<Record<Item["progress"]["kind"], string>> = {
  waiting: "waiting",
  reading: "reading",
  segmenting: "being segmented",
  done: "segmented",
  failed: "could not be segmented",
  cancelled: "cancelled",
};

/** All photographs; the one that is shown is marked. */
export function Filmstrip() {
  return (
    <ul>
      {items.value.map((item) => (
        <li key={item.id}>
          <Film item={item} />
        </li>
      ))}
    </ul>
  );
}

function Film({ item }: { item: Item }) {
  const { id, name, thumbnail, progress } = item;
  const isShown = selectedId.value === id;
  return (
    <div class={`film ${progress.kind} ${isShown ? "shown" : ""}`}>
      <button
        type="button"
        class="film-picture"
        aria-pressed={isShown}
        aria-label={`${name}, ${STATES[progress.kind]}`}
        title={name}
        onClick={() => {
          selectedId.value = id;
        }}
      >
        {thumbnail ? (
          <img src={thumbnail} alt="" />
        ) : (
          <Icon node={progress.kind === "failed" ? CircleAlert : FileDown} size={22} />
        )}
        {(progress.kind === "reading" || progress.kind === "segmenting") && <span class="spinner" />}
      </button>
      <button type="button" class="film-remove" aria-label={`Remove ${name}`} onClick={() => remove(id)}>
        <Icon node={X} size={12} />
      </button>
    </div>
  );
}

// A channel in full, and the layers before it, with the pixels lit that the number under the pointer is made of.

import { signed } from "../ui/format.ts";
import { Pixels } from "../ui/pixels.tsx";
import { patchOf } from "./geometry.ts";
import { nameOf } from "./names.ts";
import { sourceOf } from "./sources.ts";
import { chooseLayer, choosePlace, type Detail, hovered, openPlace, type Specimen } from "./state.ts";

/** Where a pointer is on a picture of so many pixels. */
function pixelAt(event: MouseEvent, { width, height }: { width: number; height: number }) {
  const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
  const at = (offset: number, shown: number, size: number) =>
    Math.min(Math.max(Math.floor((offset / shown) * size), 0), size - 1);
  return {
    row: at(event.clientY - box.top, box.height, height),
    column: at(event.clientX - box.left, box.width, width),
  };
}

/** The channel. Click, or move with the arrow keys, to take another number apart. */
export function ChannelView({ shown }: { shown: Detail }) {
  const { channel, report, row, column, layer } = shown;
  const { width, height } = layer;
  const onClick = (event: MouseEvent) => {
    // A click from the keyboard has no place.
    if (event.detail === 0) return;
    const at = pixelAt(event, layer);
    void choosePlace(at.row, at.column);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.shiftKey ? 10 : 1;
    const way = {
      ArrowUp: [-step, 0],
      ArrowDown: [step, 0],
      ArrowLeft: [0, -step],
      ArrowRight: [0, step],
    }[event.key];
    if (way === undefined) return;
    event.preventDefault();
    void choosePlace(Math.max(0, row + way[0]), Math.max(0, column + way[1]));
  };
  return (
    <figure class="channel-view">
      <button
        type="button"
        aria-label={`Channel ${channel}. Row ${row}, column ${column} is taken apart; arrow keys choose another.`}
        onClick={onClick}
        onKeyDown={onKeyDown}
        onPointerMove={(event) => {
          hovered.value = pixelAt(event, layer);
        }}
        onPointerLeave={() => {
          hovered.value = undefined;
        }}
      >
        <Pixels image={report.image} />
        <span
          class="cross"
          style={{ left: `${(100 * (column + 0.5)) / width}%`, top: `${(100 * (row + 0.5)) / height}%` }}
        />
      </button>
      <figcaption>
        Channel {channel}, from {signed(report.low, 2)} (dark) to {signed(report.high, 2)} (light)
      </figcaption>
    </figure>
  );
}

/** What the number under the pointer is made of, in the layers before; a click goes there. */
export function LayersBefore({ anatomy, shown }: { anatomy: Specimen; shown: Detail }) {
  const isFirst = sourceOf(anatomy.config, shown.id).kind === "photograph";
  return (
    <div class="before">
      <h3>Made of</h3>
      <ul>
        {isFirst && (
          <li>
            <span class="lit">
              <Pixels image={anatomy.photograph} />
              <PatchBox shown={shown} size={anatomy} />
            </span>
            <span class="small">Photograph</span>
          </li>
        )}
        {shown.before.map(({ id, channel, image }) => {
          const own = anatomy.layers.find((layer) => layer.id === id);
          const open = (event: MouseEvent) => {
            const first = channel === "mean" ? 0 : channel;
            if (event.detail === 0 || own === undefined) void chooseLayer(id, first);
            else void openPlace({ id, channel: first, at: pixelAt(event, own) });
          };
          return (
            <li key={id}>
              <button type="button" class="lit" aria-label={`Go to ${nameOf(id)}`} onClick={open}>
                <Pixels image={image} />
                <PatchBox shown={shown} size={sizeOfInput(shown)} />
              </button>
              <span class="small">
                {nameOf(id)}, {channel === "mean" ? "mean of all channels" : `channel ${channel}`}
              </span>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

const sizeOfInput = ({ layer: { geometry } }: Detail) => ({
  width: geometry.inputWidth,
  height: geometry.inputHeight,
});

/** The patch as a rectangle over a picture of the input. Pooling halves the size, not the part that is seen. */
function PatchBox({ shown, size }: { shown: Detail; size: { width: number; height: number } }) {
  const { row, column } = hovered.value ?? shown;
  const { top, left, height, width } = patchOf(shown.layer.geometry, row, column);
  return (
    <span
      class="patch"
      data-testid="patch"
      style={{
        left: `${(100 * left) / size.width}%`,
        top: `${(100 * top) / size.height}%`,
        width: `${(100 * width) / size.width}%`,
        height: `${(100 * height) / size.height}%`,
      }}
    />
  );
}

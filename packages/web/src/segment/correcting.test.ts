// Drawing on a mask: strokes reach the worker in their order, and what was drawn becomes the photograph's truth.

import { beforeEach, expect, it, vi } from "vitest";
import type * as Correcting from "./correcting.ts";
import type * as Items from "./items.ts";
import type * as Look from "./look.ts";
import type * as Masks from "./masks.ts";

const view = vi.hoisted(() => ({
  beginCorrecting: vi.fn(),
  stroke: vi.fn(),
  undo: vi.fn(),
  endCorrecting: vi.fn(),
  judge: async () => ({}),
}));
vi.mock("./view.ts", () => ({ view }));
vi.mock("./queue.ts", () => ({ newId: () => 77 }));

let correcting: typeof Correcting;
let items: typeof Items;
let look: typeof Look;
let masks: typeof Masks;
const drawn = new Blob(["drawn"]);
const settled = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(async () => {
  vi.resetModules();
  for (const call of [view.stroke, view.undo]) call.mockReset();
  view.beginCorrecting.mockReset().mockResolvedValue(true);
  view.endCorrecting.mockReset().mockResolvedValue(drawn);
  correcting = await import("./correcting.ts");
  items = await import("./items.ts");
  look = await import("./look.ts");
  masks = await import("./masks.ts");
  const detected = new Blob(["f"]);
  const result = { probability: new Blob(["p"]), field: detected, detected } as unknown as Items.Result;
  items.items.value = ["eye.png", "ear.png"].map((name, i) => ({
    ...{ id: i + 1, name, fileName: name, file: new Blob(), size: { width: 4, height: 3 } },
    progress: { kind: "done", result },
  }));
  items.selectedId.value = 1;
});

const truths = (id: number) => masks.masksOf(id, "vessels").map(({ name, mask }) => [name, mask]);

it("sends strokes as they are drawn, from point to point, and takes them back", async () => {
  await correcting.beginCorrecting();
  expect([look.isCorrecting.value, look.shownMode.value]).toEqual([true, "overlay"]);
  const [a, b, c] = [1, 2, 3].map((x) => ({ x, y: 0 }));
  correcting.goOn(a);
  expect([view.stroke.mock.calls.length, correcting.isDrawing()]).toEqual([0, false]);
  correcting.beginStroke(a);
  expect(correcting.isDrawing()).toBe(true);
  correcting.goOn(b);
  correcting.tool.value = "erase";
  correcting.brushSize.value = 10;
  correcting.goOn(c);
  correcting.endStroke();
  correcting.goOn(a);
  expect(view.stroke.mock.calls.map(([stroke]) => stroke)).toEqual([
    { from: a, to: a, radius: 3, isMarking: true, isFirst: true },
    { from: a, to: b, radius: 3, isMarking: true, isFirst: false },
    { from: b, to: c, radius: 5, isMarking: false, isFirst: false },
  ]);
  correcting.beginStroke(b);
  expect(correcting.strokes.value).toBe(2);
  for (let i = 0; i < 3; i++) correcting.undo();
  expect([correcting.strokes.value, correcting.isDrawing(), view.undo.mock.calls.length]).toEqual([
    0,
    false,
    2,
  ]);
});

it("keeps what was drawn as the truth, in place of what was kept before, and forgets what is discarded", async () => {
  await correcting.beginCorrecting();
  await correcting.keep();
  expect([truths(1), look.isCorrecting.value]).toEqual([[["eye-corrected.png", drawn]], false]);
  expect(masks.maskInUse(1, "vessels")).toMatchObject({ id: 77, width: 4, height: 3, kind: "vessels" });
  await correcting.beginCorrecting();
  const again = new Blob(["again"]);
  view.endCorrecting.mockResolvedValueOnce(again);
  await correcting.keep();
  expect(truths(1)).toEqual([["eye-corrected.png", again]]);
  await correcting.beginCorrecting();
  await correcting.discard();
  expect([truths(1).length, look.isCorrecting.value]).toEqual([1, false]);
  // Nothing is being corrected.
  await correcting.keep();
  expect(truths(1)).toEqual([["eye-corrected.png", again]]);
});

it("begins with nothing that is not done or still being opened, and ends where the worker has nothing to draw on", async () => {
  look.isOpening.value = true;
  await correcting.beginCorrecting();
  look.isOpening.value = false;
  items.change(1, { progress: { kind: "waiting" } });
  await correcting.beginCorrecting();
  items.selectedId.value = undefined;
  await correcting.beginCorrecting();
  expect([look.isCorrecting.value, view.beginCorrecting.mock.calls.length]).toEqual([false, 0]);
  items.selectedId.value = 2;
  view.beginCorrecting.mockResolvedValue(false);
  await correcting.beginCorrecting();
  await settled();
  expect(look.isCorrecting.value).toBe(false);
});

it("keeps what was drawn where a person turns to another photograph, and nothing where nothing was", async () => {
  await correcting.beginCorrecting();
  items.selectedId.value = 2;
  await settled();
  expect([truths(1), look.isCorrecting.value, items.notice.value]).toEqual([[], false, undefined]);
  items.selectedId.value = 1;
  await correcting.beginCorrecting();
  correcting.beginStroke({ x: 1, y: 1 });
  items.selectedId.value = 2;
  await settled();
  expect(truths(1)).toEqual([["eye-corrected.png", drawn]]);
  expect([truths(2), items.notice.value]).toEqual([
    [],
    "The corrected mask of eye.png was kept as its truth.",
  ]);
});

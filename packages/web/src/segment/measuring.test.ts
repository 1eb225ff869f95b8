// Figures of vessels by a worker that is played: of every photograph that is segmented, while they are wanted.

import { beforeEach, expect, it, vi } from "vitest";
import type * as Items from "./items.ts";
import type * as Look from "./look.ts";
import type * as Measuring from "./measuring.ts";

class WorkerError extends Error {}
/** What is asked, in its order, and how it is answered. */
let asked: { readonly threshold: number; readonly width: number; readonly fieldOnly: boolean }[] = [];
let answer: (question: object) => Promise<unknown>;
let made = 0;
const end = vi.fn();

vi.mock("../ui/worker.ts", () => ({
  WorkerError,
  started: () => {
    made++;
    const measure = (question: (typeof asked)[number]) => {
      asked.push(question);
      return answer(question);
    };
    return { remote: { measure }, failed: new Promise(() => {}), end };
  },
  startUp: async (make: () => unknown) => void make(),
}));

let items: typeof Items;
let look: typeof Look;
let measuring: typeof Measuring;
const settled = async () => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
};
const columns = [{ name: "d0", unit: "", value: 1.5 }];

/** Photographs 1, 2, 3 of widths 10, 20, 30. */
const done = (id: number): Items.Item => {
  const result = { probability: new Blob(["p"]), field: new Blob(["f"]), width: 10 * id, height: 7 };
  const progress = { kind: "done", result: result as unknown as Items.Result } as const;
  return { id, name: `${id}`, fileName: `${id}`, file: new Blob(), progress };
};

beforeEach(async () => {
  vi.stubGlobal("Worker", class {});
  vi.resetModules();
  end.mockClear();
  [asked, made, answer] = [[], 0, async () => columns];
  items = await import("./items.ts");
  look = await import("./look.ts");
  measuring = await import("./measuring.ts");
});

const widths = () => asked.map(({ width }) => width);
const figures = () => items.items.value.map((item) => measuring.figuresOf(item));

it("measures nothing unless it is wanted, and then the photograph that is shown first", async () => {
  const waiting: Items.Item = { ...done(4), progress: { kind: "waiting" } };
  items.items.value = [done(1), done(2), done(3), waiting];
  items.selectedId.value = 2;
  await settled();
  expect([asked, measuring.unmeasured.value]).toEqual([[], 0]);
  measuring.wantsFigures.value = true;
  expect(measuring.unmeasured.value).toBe(3);
  await settled();
  expect(widths()).toEqual([20, 10, 30]);
  expect([figures(), measuring.unmeasured.value]).toEqual([[columns, columns, columns, undefined], 0]);
  expect([made, asked[0]]).toEqual([1, expect.objectContaining({ threshold: 0.5, fieldOnly: true })]);
});

it("measures anew at another threshold, in another region, and of another result", async () => {
  items.items.value = [done(1), done(2)];
  measuring.wantsFigures.value = true;
  await settled();
  look.threshold.value = 312;
  expect(figures()).toEqual([undefined, undefined]);
  await settled();
  expect(asked.slice(2)).toMatchObject([{ threshold: 0.312 }, { threshold: 0.312 }]);
  look.fieldOnly.value = false;
  expect(figures()).toEqual([undefined, undefined]);
  await settled();
  expect(asked.slice(4)).toMatchObject([{ fieldOnly: false }, { fieldOnly: false }]);
  items.change(2, { progress: done(2).progress });
  expect(figures()).toEqual([columns, undefined]);
  await settled();
  expect(widths().slice(6)).toEqual([20]);
});

it("stops where figures are not wanted any more, and forgets photographs that were taken out", async () => {
  let release = () => {};
  answer = () =>
    new Promise((resolve) => {
      release = () => resolve(columns);
    });
  items.items.value = [done(1), done(2)];
  measuring.wantsFigures.value = true;
  await settled();
  measuring.wantsFigures.value = false;
  release();
  await settled();
  expect(widths()).toEqual([10]);
  items.items.value = items.items.value.slice(1);
  measuring.wantsFigures.value = true;
  await settled();
  release();
  await settled();
  expect([widths(), figures()]).toEqual([[10, 20], [columns]]);
});

it("has none of a photograph that could not be measured, and goes on: with another worker where that broke", async () => {
  answer = async ({ width }: { width?: number }) => {
    if (width === 10) throw new Error("no memory");
    if (width === 20) throw new WorkerError("it broke");
    return columns;
  };
  items.items.value = [done(1), done(2), done(3)];
  measuring.wantsFigures.value = true;
  await settled();
  expect([figures(), made]).toEqual([[[], [], columns], 2]);
  expect(end).toHaveBeenCalledOnce();
});

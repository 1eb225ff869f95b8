// The rule for moving calls, condition by condition, on programs of a few made-up calls.

import type { Program } from "@saunet/core";
import { type AnyKernel, type FlatArray, kernel, type Role } from "@saunet/core/kernels";
import { describe, expect, it } from "vitest";
import { commute, isSeparate, joinPair, type Pattern, rewrite } from "./rewrite.ts";

let made = 0;
/** A kernel of a few arrays, the same at each call with equal roles. */
const known = new Map<string, AnyKernel>();
function kernelOf(
  name: string,
  roles: Record<string, Role>,
  inPlace: Record<string, string> = {},
): AnyKernel {
  const key = JSON.stringify([name, roles, inPlace]);
  const found = known.get(key) ?? kernel(`${name} ${made++}`, roles, () => {}, { inPlace });
  known.set(key, found);
  return found;
}

const produce = kernelOf("produce", { y: "write", x: "read" });
const consume = kernelOf("consume", { y: "write", x: "read" });
const both = kernelOf("both", { y: "write", x: "read" });
const bothInPlace = kernelOf("both in place", { y: "write", x: "read" }, { y: "x" });
const summed = kernelOf("summed", { y: "write", total: "write", x: "read" });
const total = kernelOf("total", { total: "write", x: "read" });
const reads = kernelOf("reads", { r: "read" });
const writes = kernelOf("writes", { w: "write" });
const updates = kernelOf("updates", { u: "update" });

const call = (which: AnyKernel, buffers: Record<string, number>) => ({
  kernel: which,
  buffers,
  dims: undefined,
});

/** Buffers 0 to 3 are temporary, 4 to 7 lie outside. */
function programOf(calls: Program["calls"], outputs: readonly number[] = []): Program {
  const buffers = Array.from({ length: 8 }, (_, i) => ({
    length: 1,
    type: "f32" as const,
    external: i < 4 ? undefined : (new Float32Array(1) as FlatArray),
  }));
  return { buffers, calls, inputs: [], outputs: outputs.map((buffer) => ({ buffer, shape: [1] })) };
}

const pair = (joined: AnyKernel = both): Pattern =>
  joinPair({
    place: "reader",
    writer: produce,
    result: "y",
    reader: consume,
    operand: "x",
    join: (first, second) => ({
      kernel: joined,
      buffers: { y: second.buffers.y, x: first.buffers.x },
      dims: undefined,
    }),
  });

const absorption = joinPair({
  place: "writer",
  reader: total,
  operand: "x",
  result: "y",
  join: ({ kernel: { name }, buffers }, reader) =>
    name === produce.name
      ? { kernel: summed, buffers: { ...buffers, total: reader.buffers.total }, dims: undefined }
      : undefined,
});

const isRewritten = (pattern: Pattern, program: Program): boolean =>
  rewrite(program, pattern, { relaxed: false }).calls.length < program.calls.length;

describe("commute", () => {
  const first = call(kernelOf("first", { a: "read", b: "write", c: "update" }), { a: 0, b: 1, c: 2 });
  it.each([
    ["reads what the first reads", reads, { r: 0 }, true],
    ["reads what the first writes", reads, { r: 1 }, false],
    ["reads what the first updates", reads, { r: 2 }, false],
    ["writes what the first reads", writes, { w: 0 }, false],
    ["writes what the first writes", writes, { w: 1 }, false],
    ["writes what the first updates", writes, { w: 2 }, false],
    ["updates what the first reads", updates, { u: 0 }, false],
    ["updates what the first writes", updates, { u: 1 }, false],
    ["touches other buffers alone", updates, { u: 3 }, true],
  ])("says of a call that %s: %#", (_, other, buffers, wanted) => {
    expect(commute(first, call(other, buffers))).toBe(wanted);
    expect(commute(call(other, buffers), first)).toBe(wanted);
  });

  it("leaves out what is written no more", () => {
    expect(commute(first, call(writes, { w: 1 }), new Set([1]))).toBe(true);
  });
});

describe("isSeparate", () => {
  it("allows one array in two places only where it is read in both, or the kernel says so", () => {
    const two = kernelOf("two", { y: "write", a: "read", b: "read" }, { y: "a" });
    expect(isSeparate(call(two, { y: 0, a: 1, b: 1 }))).toBe(true);
    expect(isSeparate(call(two, { y: 0, a: 0, b: 1 }))).toBe(true);
    expect(isSeparate(call(two, { y: 0, a: 1, b: 0 }))).toBe(false);
    expect(isSeparate(call(two, { y: 0, a: 0, b: 0 }))).toBe(false);
  });
});

describe("a pair", () => {
  /** x = 4 → 0 → 1, with something in between. */
  const around = (...between: Program["calls"]) =>
    programOf([call(produce, { y: 0, x: 4 }), ...between, call(consume, { y: 1, x: 0 })], [1]);

  it("becomes one call at the place of the second", () => {
    const { calls } = rewrite(around(call(writes, { w: 5 })), pair(), { relaxed: false });
    expect(calls.map(({ kernel: { name } }) => name)).toEqual([writes.name, both.name]);
    expect(calls[1].buffers).toEqual({ y: 1, x: 4 });
  });

  it.each([
    ["writes what the first reads", call(writes, { w: 4 })],
    ["updates what the first reads", call(updates, { u: 4 })],
    ["reads the result too", call(reads, { r: 0 })],
    ["writes the result anew", call(writes, { w: 0 })],
  ])("stays two where a call in between %s", (_, between) => {
    expect(isRewritten(pair(), around(between))).toBe(false);
  });

  it("stays two where the result is of use to others", () => {
    const calls = [call(produce, { y: 0, x: 4 }), call(consume, { y: 1, x: 0 })];
    expect(isRewritten(pair(), programOf(calls, [1]))).toBe(true);
    expect(isRewritten(pair(), programOf(calls, [0, 1]))).toBe(false);
    expect(isRewritten(pair(), programOf([...calls, call(reads, { r: 0 })], [1]))).toBe(false);
    const outside = [call(produce, { y: 5, x: 4 }), call(consume, { y: 1, x: 5 })];
    expect(isRewritten(pair(), programOf(outside, [1]))).toBe(false);
  });

  it("stays two where the second reads the result as something else, or as more", () => {
    const twice = kernelOf("twice", { y: "write", x: "read", z: "read" });
    const pattern = joinPair({
      place: "reader",
      writer: produce,
      result: "y",
      reader: twice,
      operand: "x",
      join: (first, second) => ({
        kernel: twice,
        buffers: { ...second.buffers, x: first.buffers.x },
        dims: undefined,
      }),
    });
    const of = (x: number, z: number) =>
      programOf([call(produce, { y: 0, x: 4 }), call(twice, { y: 1, x, z })], [1]);
    expect(isRewritten(pattern, of(0, 5))).toBe(true);
    expect(isRewritten(pattern, of(5, 0))).toBe(false);
    expect(isRewritten(pattern, of(0, 0))).toBe(false);
  });

  it("stays two where the joined call would write over what it still reads", () => {
    const calls = [call(produce, { y: 0, x: 4 }), call(consume, { y: 4, x: 0 })];
    expect(isRewritten(pair(), programOf(calls))).toBe(false);
    expect(isRewritten(pair(bothInPlace), programOf(calls))).toBe(true);
  });
});

describe("a reader and its writer", () => {
  const around = (...between: Program["calls"]) =>
    programOf([call(produce, { y: 0, x: 4 }), ...between, call(total, { total: 1, x: 0 })], [0, 1]);

  it("become one call at the place of the writer", () => {
    const { calls } = rewrite(around(call(writes, { w: 4 })), absorption, { relaxed: false });
    expect(calls.map(({ kernel: { name } }) => name)).toEqual([summed.name, writes.name]);
    expect(calls[0].buffers).toEqual({ y: 0, x: 4, total: 1 });
  });

  it.each([
    ["changes what the reader reads", call(updates, { u: 0 })],
    ["reads what the reader writes", call(reads, { r: 1 })],
    ["writes what the reader writes", call(writes, { w: 1 })],
  ])("stay two where a call in between %s", (_, between) => {
    expect(isRewritten(absorption, around(between))).toBe(false);
  });

  it("are the last writer and its reader", () => {
    const calls = [
      call(produce, { y: 0, x: 4 }),
      call(produce, { y: 0, x: 5 }),
      call(total, { total: 1, x: 0 }),
    ];
    const { calls: after } = rewrite(programOf(calls, [0, 1]), absorption, { relaxed: false });
    expect(after.map(({ kernel: { name } }) => name)).toEqual([produce.name, summed.name]);
    expect(after[1].buffers.x).toBe(5);
  });
});

it("joins that belong together are done together or not at all, and keep the order of all other calls", () => {
  // 4 → 0, read by two; both take over what the first does, and another call moves from one end to the other.
  const pattern: Pattern = ({ calls, uses }, at) =>
    calls[at]!.kernel.name === produce.name && uses(0).length === 3
      ? uses(0)
          .slice(1)
          .map((place) => ({
            at: place,
            call: call(both, { y: calls[place]!.buffers.y!, x: 4 }),
            absorbs: [at],
          }))
      : undefined;
  const calls = (between: Program["calls"][number]) => [
    call(produce, { y: 0, x: 4 }),
    call(consume, { y: 1, x: 0 }),
    between,
    call(consume, { y: 2, x: 0 }),
  ];
  expect(isRewritten(pattern, programOf(calls(call(writes, { w: 5 })), [1, 2]))).toBe(true);
  expect(isRewritten(pattern, programOf(calls(call(writes, { w: 4 })), [1, 2]))).toBe(false);
});

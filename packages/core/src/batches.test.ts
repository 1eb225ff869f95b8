import { getEventListeners } from "node:events";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BatchOptions, batches } from "./batches.ts";
import { Tensor, tensor } from "./tensor.ts";

async function collect<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of iterable) all.push(each);
  return all;
}

/** Numbers from 0, and what became of the one who gives them. */
function source(count: number) {
  const fate = { given: 0, isClosed: false };
  async function* numbers() {
    try {
      for (; fate.given < count; fate.given++) yield fate.given;
    } finally {
      fate.isClosed = true;
    }
  }
  return { fate, numbers: numbers() };
}

describe("batches", () => {
  it("are of the data set's form: arrays, typed arrays, tensors, records of them, iterables", async () => {
    expect(await collect(batches(["a", "b", "c"], { size: 2 }))).toEqual([["a", "b"], ["c"]]);
    expect(await collect(batches(Uint8Array.of(1, 2, 3), { size: 2 }))).toEqual([
      Uint8Array.of(1, 2),
      Uint8Array.of(3),
    ]);
    expect(await collect(batches(Buffer.from("abc"), { size: 2, shuffle: true }))).toEqual([
      expect.any(Uint8Array),
      expect.any(Uint8Array),
    ]);
    const letters = await collect(batches(Buffer.from("abc"), { size: 3 }));
    expect([...letters[0]]).toEqual([97, 98, 99]);
    expect(await collect(batches(BigInt64Array.of(1n, 2n) as never, { size: 2 }))).toEqual([
      BigInt64Array.of(1n, 2n),
    ]);
    const images = tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect((await collect(batches(images, { size: 2 }))).map(String)).toEqual([
      "Tensor [2,2] [[1, 2], [3, 4]]",
      "Tensor [1,2] [[5, 6]]",
    ]);
    const [first, last] = await collect(batches({ images, names: ["a", "b", "c"] }, { size: 2 }));
    expect([first.images.shape, first.names]).toEqual([
      [2, 2],
      ["a", "b"],
    ]);
    expect([String(last.images), last.names]).toEqual(["Tensor [1,2] [[5, 6]]", ["c"]]);
    // Columns may have the names of a tensor's parts.
    expect(await collect(batches({ data: Float32Array.of(1, 2), rows: [3, 4] }, { size: 1 }))).toEqual([
      { data: Float32Array.of(1), rows: [3] },
      { data: Float32Array.of(2), rows: [4] },
    ]);
    expect(await collect(batches({ data: [1], shape: [2] }, { size: 1 }))).toEqual([
      { data: [1], shape: [2] },
    ]);
    expect(await collect(batches(new Set([1, 2, 3]), { size: 2 }))).toEqual([[1, 2], [3]]);
    expect(await collect(batches(source(3).numbers, { size: 2 }))).toEqual([[0, 1], [2]]);
  });

  it("hold every row once, in an order that the seed alone decides, whole ones only where that is asked for", async () => {
    const options = fc.record({
      size: fc.integer({ min: 1, max: 9 }),
      seed: fc.nat(1000),
      shuffle: fc.boolean(),
      dropLast: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.nat(30), options, async (count, chosen) => {
        const rows = Array.from({ length: count }, (_, i) => i);
        const found = await collect(batches(rows, chosen));
        expect(await collect(batches(rows, chosen))).toEqual(found);
        const whole = count - (count % chosen.size);
        const flat = found.flat();
        expect(flat.length).toBe(chosen.dropLast ? whole : count);
        expect(new Set(flat).size).toBe(flat.length);
        if (!chosen.shuffle) expect(flat).toEqual(rows.slice(0, flat.length));
        const lengths = found.map((batch) => batch.length);
        expect(lengths.slice(0, -1).every((length) => length === chosen.size)).toBe(true);
      }),
      { numRuns: 60 },
    );
    const many = Array.from({ length: 20 }, (_, i) => i);
    const orderOf = async (seed: number) =>
      (await collect(batches(many, { size: 20, shuffle: true, seed })))[0];
    expect(await orderOf(1)).not.toEqual(await orderOf(2));
    expect(await orderOf(1)).not.toEqual(many);
  });

  it("are copies: what becomes of a batch does not touch the data set", async () => {
    const rows = new Tensor(Float32Array.of(1, 2), [2]);
    for await (const batch of batches(rows, { size: 2 })) batch.data.fill(9);
    expect([...rows.data]).toEqual([1, 2]);
  });

  it("close their source when the loop is left, when it throws, and when it is aborted", async () => {
    const left = source(9);
    for await (const batch of batches(left.numbers, { size: 2 })) if (batch[0] === 2) break;
    expect(left.fate).toEqual({ given: 3, isClosed: true });

    const controller = new AbortController();
    const stopped = source(9);
    const reason = new Error("enough");
    const seen: number[][] = [];
    const loop = async () => {
      for await (const batch of batches(stopped.numbers, { size: 2, signal: controller.signal })) {
        seen.push(batch);
        controller.abort(reason);
      }
    };
    await expect(loop()).rejects.toBe(reason);
    expect([seen, stopped.fate.isClosed]).toEqual([[[0, 1]], true]);
  });

  it("are aborted while their source gives nothing, and before it gives anything", async () => {
    let isClosed = false;
    const silent: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: async () => {
          isClosed = true;
          return { done: true, value: undefined };
        },
      }),
    };
    const controller = new AbortController();
    const waiting = collect(batches(silent, { size: 1, signal: controller.signal }));
    controller.abort(new Error("no more"));
    await expect(waiting).rejects.toThrow("no more");
    expect(isClosed).toBe(true);

    const early = source(3);
    const aborted = AbortSignal.abort(new Error("too late"));
    await expect(collect(batches(early.numbers, { size: 1, signal: aborted }))).rejects.toThrow("too late");
    expect(early.fate.given).toBe(0);
    await expect(collect(batches([1, 2], { size: 1, signal: aborted }))).rejects.toThrow("too late");
  });

  it("of an iterable end with its last item: no batch is empty, and their signal is let go", async () => {
    const { signal } = new AbortController();
    expect(await collect(batches(source(4).numbers, { size: 2, signal }))).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(await collect(batches(source(0).numbers, { size: 2 }))).toEqual([]);
  });

  it("pass on what their source throws", async () => {
    async function* broken() {
      yield 1;
      throw new Error("the file is gone");
    }
    const seen: number[][] = [];
    const loop = async () => {
      for await (const batch of batches(broken(), { size: 1 })) seen.push(batch);
    };
    await expect(loop()).rejects.toThrow("the file is gone");
    expect(seen).toEqual([[1]]);
  });

  it.each<[string, unknown, object, string]>([
    ["no size", [1], {}, "batches: size must be an integer of at least 1 but is undefined"],
    ["a size of 0", [1], { size: 0 }, "batches: size must be an integer of at least 1 but is 0"],
    [
      "a misspelt option",
      [1],
      { size: 1, shufle: true },
      "batches: there is no option shufle; the options are size, shuffle, seed, dropLast, signal; shuffle may be meant",
    ],
    [
      "a seed that is none",
      [1],
      { size: 1, seed: -1 },
      "batches: seed must be an integer of at least 0 but is -1",
    ],
    [
      "a text",
      "abc",
      { size: 1 },
      "the data set must be an array, a tensor, a record of these or an iterable but is string",
    ],
    ["nothing", null, { size: 1 }, "or an iterable but is null"],
    ["an empty record", {}, { size: 1 }, "or an iterable but is object"],
    [
      "a single number",
      tensor(3),
      { size: 1 },
      "batches: the data set must have a first axis but is a single number",
    ],
    [
      "a column that is none",
      { a: [1], b: 2 },
      { size: 1 },
      "batches: b must be an array or a tensor but is number",
    ],
    [
      "columns of several lengths",
      { a: [1, 2], b: tensor([1]) },
      { size: 1 },
      "batches: b has 1 rows but a has 2",
    ],
    [
      "an iterable to be shuffled",
      new Set([1]),
      { size: 1, shuffle: true },
      "batches: an iterable cannot be shuffled",
    ],
  ])("refuse %s at once", (_, dataset, options, message) => {
    expect(() => batches(dataset as number[], options as BatchOptions)).toThrow(message);
  });
});

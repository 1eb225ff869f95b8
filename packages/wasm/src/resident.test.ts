import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { add, backward, conv2d, mean, normal, ones, parameter, randomState, silu, zeros } from "@saunet/core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { accelerate, restore } from "./accelerate.ts";
import { Arena, MemoryError } from "./memory.ts";
import { keepResultsIn } from "./resident.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
const MEGABYTE = 2 ** 18;

describe("keepResultsIn", () => {
  it("puts large results into the arena, small ones beside it, and calls itself off", () => {
    const arena = new Arena(false, 2 ** 26);
    const release = keepResultsIn(arena);
    expect(arena.holds(zeros([MEGABYTE]).data)).toBe(true);
    expect(arena.holds(zeros([10]).data)).toBe(false);
    release();
    expect(arena.holds(zeros([MEGABYTE]).data)).toBe(false);
  });

  it("gives the place of dropped arrays to new ones", async () => {
    const arena = new Arena(false, 2 ** 26);
    const release = keepResultsIn(arena);
    const kept = ones([MEGABYTE]);
    for (let i = 0; i < 100; i++) {
      zeros([MEGABYTE]);
      if (i % 10 === 9) {
        collectGarbage();
        await setTimeout(1);
      }
    }
    release();
    expect(arena.used).toBeLessThanOrEqual(12 * 2 ** 20);
    expect(arena.holds(kept.data) && kept.data.every((value) => value === 1)).toBe(true);
  });

  it("goes on with ordinary arrays where its share is taken", () => {
    const arena = new Arena(false, 2 ** 24);
    const release = keepResultsIn(arena);
    const arrays = Array.from({ length: 20 }, (_, i) => ones([MEGABYTE]).data.fill(i));
    release();
    expect(arrays.filter((array) => arena.holds(array)).length).toBe(8);
    expect(arrays.every((array, i) => array.every((value) => value === i))).toBe(true);
  });

  it("takes an arena without room for none, and passes on whatever else goes wrong", () => {
    const arena = new Arena(false, 2 ** 26);
    const reserve = vi.spyOn(arena, "reserve");
    const release = keepResultsIn(arena);
    try {
      reserve.mockImplementationOnce(() => {
        throw new MemoryError("no room");
      });
      expect(arena.holds(zeros([MEGABYTE]).data)).toBe(false);
      reserve.mockImplementationOnce(() => {
        throw new RangeError("broken");
      });
      expect(() => zeros([MEGABYTE])).toThrow("broken");
      expect(arena.holds(zeros([MEGABYTE]).data)).toBe(true);
    } finally {
      release();
    }
  });
});

describe("a loop that never lets the event loop turn", () => {
  it("takes what earlier stretches took, twice, and ordinary arrays beyond", async () => {
    const arena = new Arena(true, 2 ** 32);
    const release = keepResultsIn(arena);
    const most: number[] = [];
    for (const megabytes of [2000, 40, 600]) {
      const { used } = arena;
      for (let i = 0; i < megabytes; i++) zeros([MEGABYTE]);
      most.push((arena.used - used) / 2 ** 20);
      await setTimeout(5);
      collectGarbage();
      await setTimeout(5);
    }
    release();
    // 256 MB before anything is known; afterwards 2,000 MB are known to be asked for in one stretch.
    expect(most[0]).toBe(256);
    expect(most.slice(1)).toEqual([40, 600]);
  });
});

describe("accelerate({ resident })", () => {
  afterEach(restore);

  it.each([1, 2])("gives what copying gives, gradients too, on %i threads", async (threads) => {
    const step = () => {
      const w = parameter(normal([3, 3, 16, 16], randomState(1)));
      const x = normal([1, 64, 64, 16], randomState(2));
      const y = silu(conv2d(x, w));
      const loss = mean(silu(conv2d(add(y, x), w)));
      backward(loss);
      return [loss.item(), ...w.grad!];
    };
    await accelerate({ threads, relaxed: false });
    const copied = step();
    await accelerate({ threads, relaxed: false, resident: true });
    // Without awaiting in between: nothing is given back, and nothing may be given out twice.
    for (let i = 0; i < 5; i++) expect(step()).toEqual(copied);
    collectGarbage();
    await setTimeout(1);
    expect(step()).toEqual(copied);
  });
});

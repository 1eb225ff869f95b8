import { type Floats, kernel } from "@saunet/core/kernels";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Arena } from "../memory.ts";
import { generator, type Plan } from "../plan.ts";
import { Runner } from "../runner.ts";
import { driven } from "../testing.ts";
import { Pool } from "./pool.ts";

interface Arrays {
  out: Floats;
  x: Floats;
}

const doubled = kernel("test.double", { out: "write", x: "read" }, ({ out, x }: Arrays) => {
  for (let i = 0; i < x.length; i++) out[i] = 2 * x[i];
});

/** out[i] = 2 x[i], or a trap at the item `trapAt`. */
const planOf = (items: number, trapAt = -1): Plan<Arrays> => ({
  name: `double_f32_${trapAt}`,
  key: `double ${trapAt}`,
  phases: [
    {
      items,
      write: (f, { from, to, arrays }) => {
        const { i32, f32 } = f;
        const i = f.local("i", "i32");
        f.forRange(i, { from, to }, () => {
          f.if(i32.eq(i, trapAt), () => f.unreachable());
          const at = f.let("at", i32.shl(i, 2));
          const value = f.let("value", f32.load(i32.add(arrays.x, at)));
          f32.store(i32.add(arrays.out, at), f32.add(value, value));
        });
      },
    },
  ],
});

const gen = generator(doubled, (_: undefined, { x }) => planOf(x!));

describe("Pool", () => {
  let runner: Runner;
  let pool: Pool;
  beforeAll(async () => {
    const arena = new Arena(true, 2 ** 28);
    pool = await Pool.start(arena, 3);
    runner = new Runner(arena, pool, { relaxed: false });
  });
  afterAll(() => pool.stop());

  const run = (length: number, plan = planOf(length)) => {
    const arrays = { x: Float32Array.from({ length }, (_, i) => i), out: new Float32Array(length) };
    runner.run(doubled as never, plan as never, arrays);
    return arrays;
  };

  it("has the caller and two workers", () => expect(pool.threads).toBe(3));

  it.each([1, 2, 3, 4, 1000])("does every one of %i items once", (length) => {
    const { x, out } = run(length);
    expect([...out]).toEqual([...x].map((value) => 2 * value));
  });

  it("uses arrays of the arena where they are", () => {
    const { arena } = runner;
    const addresses = [arena.reserve(4000), arena.reserve(4000)];
    const [x, out] = addresses.map((address) => new Float32Array(arena.memory.buffer, address, 1000));
    x.fill(3);
    runner.run(doubled as never, planOf(1000) as never, { x, out });
    expect(out.every((value) => value === 6)).toBe(true);
    for (const address of addresses) arena.free(address);
  });

  it("names the kernel that traps, in any thread, and works on", () => {
    // Whoever takes the item traps: the caller says so itself, a worker by way of its message.
    for (let trapAt = 0; trapAt < 90; trapAt++) {
      expect(() => run(90, planOf(90, trapAt))).toThrow(
        new RegExp(`^double_f32_${trapAt}: (thread [12]: .*)?unreachable`),
      );
      expect(run(90).out[89]).toBe(178);
    }
  });

  it("tells of each failure what it says itself, also after several threads failed at once", async () => {
    /** Three items of which one traps by a division, or all in the end by what is unreachable. */
    const failing = (divides?: number): Plan<Arrays> => ({
      name: "fail_i32",
      key: `fail ${divides}`,
      phases: [
        {
          items: 3,
          write: (f, { from, to }) => {
            const { i32 } = f;
            const [item, i] = [f.local("item", "i32"), f.local("i", "i32")];
            f.forRange(item, { from, to }, () => {
              f.if(i32.eq(item, divides ?? 3), () => f.drop(i32.div_s(item, i32.sub(item, item))));
              f.forRange(i, { from: 0, to: 20_000_000 }, () => {});
              if (divides === undefined) f.if(i32.lt_s(item, 3), () => f.unreachable());
            });
          },
        },
      ],
    });
    const list = (plan: Plan<Arrays>) => {
      const code = runner.compile(doubled as never, plan as never);
      return driven(runner.executeList(runner.jobs(plan as never, code, [64, 64], 64, 64)));
    };
    for (let turn = 0; turn < 30; turn++) {
      await expect(list(failing())).rejects.toThrow(/^fail_i32: thread \d: .*unreachable/);
      await expect(list(failing(turn % 3))).rejects.toThrow(/^fail_i32: thread \d: .*divide by zero/);
    }
  });

  it("goes on after the memory has grown", () => {
    const length = 8_000_000;
    const { out } = run(length);
    expect(out[length - 1]).toBe(2 * (length - 1));
    expect(run(10, { ...planOf(10), key: "a module loaded after growth" }).out[9]).toBe(18);
  });

  it("leaves memory as it found it over 10,000 calls", () => {
    const { used } = runner.arena;
    for (let i = 0; i < 10_000; i++) run(9);
    expect(runner.arena.used).toBe(used);
  });

  it("goes through a list without the caller, whose event loop turns meanwhile", async () => {
    const length = 1000;
    const [x, out] = [0, 1].map(
      () => new Float32Array(runner.arena.memory.buffer, runner.arena.reserve(4 * length), length),
    );
    x.fill(1);
    const addresses = [out.byteOffset, x.byteOffset];
    const back = [x.byteOffset, out.byteOffset];
    const jobs = (trapAt: number) =>
      Array.from({ length: 400 }, (_, i) => {
        const plan = planOf(length, i === 100 ? trapAt : -1);
        const code = runner.compile(doubled as never, plan as never);
        return runner.jobs(plan as never, code, i % 2 === 0 ? addresses : back, 64, 64)[0];
      });
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const list = driven(runner.executeList(jobs(-1).slice(0, 20)));
    // The caller runs what it has meanwhile by itself, code that the others do not have yet too.
    expect(run(9).out[8]).toBe(16);
    expect(run(9, { ...planOf(9), key: "a module loaded during a list" }).out[8]).toBe(16);
    await list;
    expect(x.every((value) => value === 2 ** 20)).toBe(true);
    await expect(driven(runner.executeList(jobs(500)))).rejects.toThrow(
      /^double_f32_500: thread [012]: .*unreachable/,
    );
    await driven(runner.executeList(jobs(-1)));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
    expect(run(9).out[8]).toBe(16);
    runner.arena.free(x.byteOffset);
    runner.arena.free(out.byteOffset);
  });

  it("does not wake anybody for a job that is known to be short", async () => {
    const isShared = (plan = planOf(1000)) => {
      run(1000, plan);
      return pool.spans() !== undefined;
    };
    // Whoever took part in one a moment ago is still awake.
    await expect.poll(() => isShared()).toBe(false);
    expect(isShared({ ...planOf(1000), key: "a job that nothing is known of" })).toBe(true);
  });

  it("plans a call once", () => {
    const plan = () => runner.plan(gen, { out: 4, x: 4 }, undefined);
    expect(plan()).toBe(plan());
  });
});

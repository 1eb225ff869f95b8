// The life of a program, as the head of run.ts draws it: whatever happens in whatever order, the outcome is that of one
// run after the other in order of arrival.

import { getEventListeners } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { capture } from "./capture.ts";
import { type Floats, installKernel, kernel, withReferences } from "./kernel.ts";
import { mul, mulForward } from "./ops/arithmetic.ts";
import { type Pending, type Prepared, prepareWithKernels } from "./prepared.ts";
import { installPreparer, prepare, type Runnable } from "./run.ts";
import { empty, Tensor, tensor, zeros } from "./tensor.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const MODULUS = 65521;
const next = (state: number, x: number): number => (state * 31 + x) % MODULUS;

/** `state ← next(state, x)`, `out = state`: which order the calls had can be told from their results. */
const stir = kernel(
  "test.stir",
  { out: "write", state: "update", x: "read" },
  ({ out, state, x }: { out: Floats; state: Floats; x: Floats }) => {
    state[0] = next(state[0], x[0]);
    out[0] = state[0];
  },
);

const sleep = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

/** What an accelerator does: copies in, waits for others twice, copies out; and sees to it that nobody breaks the rules. */
function threads(log: { running: number; freed: number }) {
  return (program: Parameters<typeof prepareWithKernels>[0]): Prepared => {
    const plain = prepareWithKernels(program);
    let [inUse, isFree] = [false, false];
    const state = program.buffers.find(({ length, external }) => external !== undefined && length === 2)!
      .external!;
    const expectFree = () => {
      if (inUse || isFree) throw new Error(`test: run while ${isFree ? "freed" : "in use"}`);
    };
    return {
      ...plain,
      *start(inputs) {
        expectFree();
        if (log.running++ > 0) throw new Error("test: two runs at once");
        inUse = true;
        const before = state.slice();
        const values = inputs.map(({ data, shape }) => new Tensor(data.slice(), shape));
        try {
          for (let wait = 0; wait < 2; wait++) yield pending();
          // Whoever wrote meanwhile is lost, as where threads work on a copy.
          state.set(before as Float32Array);
          return plain.runSync(values);
        } finally {
          inUse = false;
          log.running--;
        }
      },
      runSync(inputs) {
        expectFree();
        return plain.runSync(inputs);
      },
      free() {
        expectFree();
        isFree = true;
        log.freed++;
      },
    };
  };
}

function pending(): Pending {
  const ended = sleep();
  return { ended, wait: () => {}, stop: () => {} };
}

const programOf = (state: Float32Array) =>
  capture(
    ([x]) => {
      const out = empty([1]);
      stir({ out: out.data, state, x: x.data }, undefined);
      return [out];
    },
    [zeros([1])],
  );

const log = { running: 0, freed: 0 };
const accelerator = threads(log);

describe("programs", () => {
  afterEach(async () => {
    await installPreparer(undefined);
  });

  const event = <K extends string>(weight: number, kind: K, which: number, x = 0) => ({
    weight,
    arbitrary: fc.record({ kind: fc.constant(kind), which: fc.nat(which), x: fc.nat(x) }),
  });
  const events = fc.array(
    fc.oneof(
      event(6, "run", 2, 999),
      event(2, "runSync", 2, 999),
      event(2, "eager", 2, 999),
      event(2, "abort", 20),
      event(1, "release", 2),
      event(2, "install", 2),
      event(3, "wait", 3),
    ),
    { maxLength: 25 },
  );

  it("give what they would give one by one, in order of arrival", () =>
    fc.assert(
      fc.asyncProperty(events, async (list) => {
        // Two programs share their state; a third has one of its own.
        const states = [new Float32Array(2), new Float32Array(2)];
        const stateOf = (which: number) => (which === 2 ? 1 : 0);
        await installPreparer(accelerator);
        const programs: Runnable[] = [0, 1, 2].map((which) => prepare(programOf(states[stateOf(which)])));
        const isReleased = [false, false, false];
        const reason = new Error("stopped");
        const arrivals: { state: number; x: number; got: () => number | undefined }[] = [];
        const waiting: Promise<unknown>[] = [];
        const stops: AbortController[] = [];
        const arrive = (which: number, x: number, got: () => number | undefined) =>
          arrivals.push({ state: stateOf(which), x, got });
        for (const { kind, which, x } of list) {
          const input = tensor([x]);
          if (kind === "run") {
            const stop = new AbortController();
            stops.push(stop);
            let got: number | undefined;
            let error: unknown;
            const released = isReleased[which];
            if (!released) arrive(which, x, () => got);
            waiting.push(
              programs[which]
                .run([input], { signal: stop.signal })
                .then(
                  ([{ data }]) => {
                    got = data[0];
                  },
                  (why) => {
                    error = why;
                  },
                )
                .then(() => {
                  if (released) expect(String(error)).toContain("run: the program was released");
                  else expect([undefined, reason]).toContain(error);
                }),
            );
          } else if (kind === "runSync") {
            if (isReleased[which]) expect(() => programs[which].runSync([input])).toThrow("released");
            else {
              const [{ data }] = programs[which].runSync([input]);
              arrive(which, x, () => data[0]);
            }
          } else if (kind === "eager") {
            const out = new Float32Array(1);
            stir({ out, state: states[stateOf(which)], x: input.data }, undefined);
            arrive(which, x, () => out[0]);
          } else if (kind === "abort") stops.at(which - 10)?.abort(reason);
          else if (kind === "release") {
            programs[which].release();
            isReleased[which] = true;
          } else if (kind === "install")
            waiting.push(installPreparer([accelerator, undefined, threads(log)][which]));
          else for (let turn = 0; turn < which; turn++) await sleep();
          // Whoever looks at programs disturbs nobody.
          for (const { program, memory } of programs)
            expect(program.calls.length + memory.temporaries).toBeGreaterThan(0);
          // The caller's arrays are the caller's again.
          input.data.fill(Number.NaN);
        }
        await Promise.all(waiting);
        const wanted = [0, 0];
        for (const { state, x, got } of arrivals) {
          const result = got();
          if (result === undefined) continue;
          wanted[state] = next(wanted[state], x);
          expect(result).toBe(wanted[state]);
        }
        expect(states.map(([value]) => value)).toEqual(wanted);
        expect(log.running).toBe(0);
      }),
      { numRuns: 300 },
    ));

  it("give back what they hold once: after the last run, and when somebody else runs them", async () => {
    await installPreparer(accelerator);
    const state = new Float32Array(2);
    const [one, other] = [prepare(programOf(state)), prepare(programOf(state))];
    log.freed = 0;
    const runs = [one.run([tensor([1])]), one.run([tensor([2])])];
    one.release();
    expect(log.freed).toBe(0);
    await Promise.all(runs);
    expect(log.freed).toBe(1);
    one.release();
    await installPreparer(undefined);
    expect(log.freed).toBe(2);
    expect(other.runSync([tensor([3])])[0].data[0]).toBe(next(next(next(0, 1), 2), 3));
    other.release();
    expect(log.freed).toBe(2);
  });

  it.each([0, 1])(
    "go on after a run that failed, after %i waits, and are freed as others are",
    async (waits) => {
      let [isFailing, freed] = [true, 0];
      await installPreparer((program) => {
        const plain = prepareWithKernels(program);
        return {
          ...plain,
          *start(inputs) {
            for (let wait = 0; wait < waits; wait++) yield pending();
            if (isFailing) throw new Error("test: it failed");
            return plain.runSync(inputs);
          },
          free: () => void freed++,
        };
      });
      const runnable = prepare(programOf(new Float32Array(2)));
      await expect(runnable.run([tensor([3])])).rejects.toThrow("test: it failed");
      isFailing = false;
      const [one, other] = await Promise.all([3, 4].map((x) => runnable.run([tensor([x])])));
      expect([one[0].item(), other[0].item()]).toEqual([next(0, 3), next(next(0, 3), 4)]);
      isFailing = true;
      await expect(runnable.run([tensor([5])])).rejects.toThrow("test: it failed");
      // Nothing is in use any more: what the one who ran it had planned goes with him.
      await installPreparer(undefined);
      expect(freed).toBe(1);
    },
  );

  it("say what is wrong with inputs, and with a signal that says stop already", async () => {
    const program = prepare(programOf(new Float32Array(2)));
    await expect(program.run([])).rejects.toThrow("run: wants 1 inputs but got 0");
    await expect(program.run([zeros([2])])).rejects.toThrow("run: input 0 must be [1] but is [2]");
    expect(() => program.runSync([zeros([2])])).toThrow("run: input 0 must be [1] but is [2]");
    const reason = new Error("too late");
    await expect(program.run([zeros([1])], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it("are forgotten with all that they hold, though their signal lives on", async () => {
    const stop = new AbortController();
    const { signal } = stop;
    const runOnce = async () => {
      const own = tensor([2, 3]);
      const program = prepare(capture(([x]) => [mul(x, own)], [zeros([2])]));
      expect((await program.run([tensor([5, 7])], { signal }))[0].data).toEqual(new Float32Array([10, 21]));
      program.release();
      return new WeakRef(own.data);
    };
    const held = [await runOnce(), await runOnce()];
    // Registers and stack slots may still name an array for a turn or two of the event loop; an assertion that fails would
    // hold what it was given.
    const areCollected = () => {
      collectGarbage();
      return held.map((reference) => reference.deref() === undefined);
    };
    await expect.poll(areCollected).toEqual([true, true]);
    expect(signal.aborted).toBe(false);
  });

  it("listen to a signal once, however many they are", async () => {
    const program = prepare(capture(([x]) => [mul(x, x)], [zeros([1])]));
    const { signal } = new AbortController();
    const runs = [2, 3, 4].map((value) => program.run([tensor([value])], { signal }));
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    expect((await Promise.all(runs)).map(([y]) => y.item())).toEqual([4, 9, 16]);
    await program.run([tensor([5])], { signal });
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
  });

  it("let the event loop turn while many wait, so that a timer can stop them", async () => {
    const slow = prepare(capture(([x]) => [mul(x, x)], [zeros([1])]));
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error("enough")), 20);
    installKernel(mulForward, ({ out }) => {
      const start = Date.now();
      while (Date.now() - start < 5);
      out.fill(1);
    });
    try {
      const runs = Array.from({ length: 200 }, () => slow.run([zeros([1])], { signal: stop.signal }));
      const outcomes = await Promise.allSettled(runs);
      expect(outcomes.some(({ status }) => status === "rejected")).toBe(true);
    } finally {
      installKernel(mulForward, undefined);
    }
  });

  it("are not ended twice where somebody finished them while the event loop was to turn", async () => {
    const first = prepare(capture(([x]) => [mul(x, x)], [zeros([1])]));
    installKernel(mulForward, ({ out, a, b }) => {
      const start = Date.now();
      while (Date.now() - start < 20);
      for (let i = 0; i < out.length; i++) out[i] = a[i] * b[i];
    });
    try {
      // The first run keeps the thread longer than it may; so the second waits for a timer, and is finished before that.
      await first.run([tensor([2])]);
      const x = tensor([3]);
      const second = first.run([x]);
      // Whoever has a run wait may fill its arrays anew.
      x.data[0] = 7;
      expect(first.runSync([tensor([5])])[0].item()).toBe(25);
      const third = first.run([tensor([4])]);
      const results = await Promise.all([second, third]);
      expect(results.map(([y]) => y.item())).toEqual([9, 16]);
    } finally {
      installKernel(mulForward, undefined);
    }
  });

  it("are not planned anew to be looked at while they run, nor after their release", async () => {
    // Other tests kept this thread busy; a run that starts now waits for the event loop to turn.
    await sleep();
    let planned = 0;
    const preparer = (program: Parameters<typeof prepareWithKernels>[0]): Prepared => {
      planned++;
      return {
        ...prepareWithKernels(program),
        *start(inputs) {
          yield pending();
          return prepareWithKernels(program).runSync(inputs);
        },
      };
    };
    await installPreparer(preparer);
    const program = prepare(programOf(new Float32Array(2)));
    const { memory } = program;
    const run = program.run([tensor([1])]);
    const changed = installPreparer((other) => preparer(other));
    expect([program.memory, planned]).toEqual([memory, 1]);
    program.release();
    await Promise.all([run, changed]);
    expect([program.memory, program.program.calls.length, planned]).toEqual([memory, 1, 1]);
  });

  it("run at once where they share nothing that either changes with those under way, and wait for others", async () => {
    let waits = 0;
    await installPreparer((program) => {
      const plain = prepareWithKernels(program);
      return {
        ...plain,
        *start(inputs) {
          yield { ...pending(), wait: () => void waits++ };
          return plain.runSync(inputs);
        },
      };
    });
    const [own, another, read] = [new Float32Array(2), new Float32Array(2), tensor([2])];
    const reading = () => prepare(capture(([x]) => [mul(x, read)], [zeros([1])]));
    const [one, other] = [prepare(programOf(own)), prepare(programOf(another))];
    const [reader, second] = [reading(), reading()];
    for (const [running, sync, wanted] of [
      [one, other, 0],
      // Both read the same, and neither changes it.
      [reader, second, 0],
      [one, prepare(programOf(own)), 1],
      [one, one, 1],
    ] as const) {
      waits = 0;
      const promise = running.run([tensor([1])]);
      sync.runSync([tensor([1])]);
      expect(waits).toBe(wanted);
      await promise;
    }
    // A kernel call of somebody else waits for whoever reads or writes what it writes, and for nobody else.
    for (const [state, wanted] of [
      [another, 0],
      [own, 1],
    ] as const) {
      waits = 0;
      const promise = one.run([tensor([1])]);
      stir({ out: new Float32Array(1), state, x: tensor([1]).data }, undefined);
      expect(waits).toBe(wanted);
      await promise;
    }
  });

  it("of others, finished inside of an interception, are none of its business", async () => {
    await installPreparer(accelerator);
    const state = new Float32Array(2);
    const [one, other] = [prepare(programOf(state)), prepare(programOf(state))];
    const running = one.run([tensor([1])]);
    // A capture would write their calls down instead of running them.
    const program = capture(([x]) => [mul(x, other.runSync([tensor([2])])[0])], [zeros([1])]);
    expect(program.calls.length).toBeGreaterThan(0);
    expect((await running)[0].data[0]).toBe(1);
    expect(withReferences(() => one.runSync([tensor([0])])[0].data[0])).toBe(state[0]);
  });
});

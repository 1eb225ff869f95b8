// What holds for every program, however it is run.

import { type Program, Tensor } from "@saunet/core";
import {
  type Arrays,
  type FlatArray,
  intercept,
  type Prepared,
  prepareWithKernels,
} from "@saunet/core/kernels";
import { checkPlan } from "@saunet/core/testing";
import { FUSION_NAMES } from "../accelerate.ts";
import { fuseAll, fusions } from "../fusions/index.ts";
import { generators } from "../kernels/index.ts";
import { prepareInArena } from "../program.ts";
import { lengthsOf, type Runner } from "../runner.ts";
import { runFree } from "../testing.ts";
import { type Form, Mismatch, type RandomProgram, type Snapshot } from "./random-program.ts";
import { Closeness, disturbing } from "./sensitivity.ts";

/** Runs in a row: what a program changes outside is seen by the next one. */
export const RUNS = 2;

/**
 * The reference, on results that hold NaN before: a kernel may write any of its results before it has read all its
 * operands, so a call whose result is one of its operands, where its kernel does not allow that, must not go unseen.
 */
export const referenceForm: Form = (kernel, arrays, dims) => {
  for (const [name, role] of Object.entries(kernel.roles)) {
    const operand = kernel.inPlace[name];
    const isInPlace = operand !== undefined && arrays[operand] === arrays[name];
    if (role === "write" && !isInPlace && arrays[name] instanceof Float32Array) arrays[name].fill(Number.NaN);
  }
  kernel.reference(arrays as never, dims as never);
};
export const portableForm: Form = (kernel, arrays, dims) => kernel.portable(arrays as never, dims as never);
/** Generated code where there is some, the portable form elsewhere: as `accelerate` installs it. */
const generatedForm =
  (runner: Runner): Form =>
  (kernel, arrays, dims) => {
    const generator = generators.find((one) => one.kernel.name === kernel.name);
    const plan = generator && runner.plan(generator, lengthsOf(kernel, arrays), dims);
    if (plan === undefined) portableForm(kernel, arrays, dims);
    else runner.run(kernel, plan, arrays);
  };

/** Runs the calls of a program one by one, each buffer an array of its own: what every other way is held to. */
function runPlainly(
  { buffers, calls, inputs, outputs }: Program,
  form: Form,
): (values: readonly Tensor[]) => Tensor[] {
  const views = { f32: Float32Array, i32: Int32Array, u32: Uint32Array };
  return (values) => {
    const arrays = buffers.map(
      ({ external, type, length }) => external ?? new views[type](length).fill(Number.NaN),
    );
    inputs.forEach(({ buffer }, i) => {
      (arrays[buffer] as Float32Array).set(values[i].data);
    });
    for (const { kernel, buffers: used, dims } of calls) form(kernel, named(used, arrays), dims);
    return outputs.map(({ buffer, shape }) => new Tensor((arrays[buffer] as Float32Array).slice(), shape));
  };
}

function named(used: Readonly<Record<string, number | undefined>>, arrays: readonly FlatArray[]): Arrays {
  return Object.fromEntries(
    Object.entries(used).map(([name, buffer]) => [name, buffer === undefined ? undefined : arrays[buffer]]),
  );
}

/** Runs in a row, from the beginning. */
function runsOf(program: RandomProgram, run: (number: number) => Snapshot): Snapshot[] {
  program.reset();
  return Array.from({ length: RUNS }, (_, number) => run(number));
}

const plainRuns = (random: RandomProgram, program: Program, form: Form): Snapshot[] => {
  const run = runPlainly(program, form);
  return runsOf(random, (number) => random.snapshot(run(random.inputs(number))));
};

/** Runs of a prepared program, each kernel in the given form. */
const preparedRuns = (random: RandomProgram, { runSync }: Prepared, form: Form): Snapshot[] =>
  runsOf(random, (number) =>
    random.snapshot(
      intercept(
        ({ kernel, arrays, dims }) => form(kernel, arrays, dims),
        () => runSync(random.inputs(number)),
      ),
    ),
  );

/** Throws unless all arrays hold the same numbers, bit for bit. */
export function expectSame(what: string, actual: readonly Snapshot[], wanted: readonly Snapshot[]): void {
  wanted.forEach((snapshot, run) => {
    for (const [name, numbers] of snapshot) {
      const others = actual[run].get(name)!;
      for (let i = 0; i < numbers.length; i++) {
        if (numbers[i] === others[i] || Object.is(numbers[i], others[i])) continue;
        throw new Mismatch(what, `run ${run}, ${name}[${i}] is ${others[i]} instead of ${numbers[i]}`);
      }
    }
  });
}

/** A program as some of the rewrites make it. */
interface Rewritten {
  readonly name: string;
  /** The rewrites that are left out. */
  readonly without: readonly string[];
  readonly program: Program;
}

const textOf = ({ calls }: Program): string =>
  JSON.stringify(calls.map(({ kernel, buffers }) => [kernel.name, buffers]));

/** The rewrites that change a program when all are tried, in turn. */
export function firedIn(program: Program): string[] {
  let now = program;
  return fusions.flatMap(({ name }) => {
    const others = FUSION_NAMES.filter((other) => other !== name);
    const before = now;
    now = fuseAll(before, others);
    return textOf(now) === textOf(before) ? [] : [name];
  });
}

const known = new WeakMap<Program, readonly Rewritten[]>();

/**
 * The different programs that rewriting gives with no rewrite, with all, and with all but any one; each with the first
 * choice that leads to it. Leaving out one that changes nothing is no choice.
 */
export function rewritten(program: Program): readonly Rewritten[] {
  const before = known.get(program);
  if (before !== undefined) return before;
  const different = new Map<string, Rewritten>();
  for (const { name, without } of [
    { name: "nothing fused", without: FUSION_NAMES },
    { name: "all fused", without: [] },
    ...firedIn(program).map((name) => ({ name: `fused without ${name}`, without: [name] })),
  ]) {
    const fused = fuseAll(program, without);
    const text = textOf(fused);
    if (!different.has(text)) different.set(text, { name, without, program: fused });
  }
  known.set(program, [...different.values()]);
  return rewritten(program);
}

/**
 * With reference kernels: operator by operator, captured, and rewritten with all fusions, with none and with all but any
 * one give the same numbers, bit for bit. Kernels that rewrites bring in have references made of those they replace, so
 * that a difference is a wrong rewrite.
 */
export function checkRewrites(random: RandomProgram): void {
  const { program, programOutside } = random;
  const eager = runsOf(random, (number) => random.runEagerly(number, referenceForm));
  const captured = preparedRuns(random, prepareWithKernels(program), referenceForm);
  expectSame("captured, references", captured, eager);
  const wanted = program === programOutside ? eager : plainRuns(random, programOutside, referenceForm);
  for (const { name, program: fused } of rewritten(programOutside)) {
    const runnable = prepareWithKernels(fused);
    checkPlan(runnable.program);
    expectSame(`${name}, references`, preparedRuns(random, runnable, referenceForm), wanted);
  }
}

/** Of the largest element of an array: what fused kernels may round otherwise, unless a program makes more of it. */
const TOLERANCE = 1e-5;
/** By how much every result is changed to find out what a program makes of rounding. */
const AMOUNT = 1e-6;

/**
 * With portable kernels and with generated ones: operator by operator and captured give the same, bit for bit; so do the
 * generated ones in the arena with nothing fused, and any number of threads whatever is fused. Fused, the program
 * gives the same within {@link TOLERANCE}, or within what its rounding may do.
 *
 * @param runners on one thread, and on several
 */
export async function checkKernels(random: RandomProgram, runners: readonly Runner[]): Promise<void> {
  const { program, programOutside } = random;
  const form = generatedForm(runners[0]);
  for (const [kernels, one] of [
    ["portable", portableForm],
    ["generated", form],
  ] as const) {
    const eager = runsOf(random, (number) => random.runEagerly(number, one));
    const captured = preparedRuns(random, prepareWithKernels(program), one);
    expectSame(`captured, ${kernels} kernels`, captured, eager);
  }
  const wanted = plainRuns(random, programOutside, form);
  const next = lehmer();
  const closeness = new Closeness(wanted, TOLERANCE, () =>
    plainRuns(random, programOutside, disturbing(form, AMOUNT, next)),
  );
  for (const { name, without } of rewritten(programOutside))
    await checkInArena(random, programOutside, { name, without }, runners, (what, runs) =>
      without === FUSION_NAMES ? expectSame(what, runs, wanted) : closeness.expect(what, runs),
    );
}

/** Runs a program in arenas: in the first by `expect`, in all others as in the first, bit for bit. */
async function checkInArena(
  random: RandomProgram,
  program: Program,
  { name, without }: { readonly name: string; readonly without: readonly string[] },
  runners: readonly Runner[],
  expect: (what: string, runs: readonly Snapshot[]) => void,
): Promise<void> {
  let first: readonly Snapshot[] | undefined;
  for (const runner of runners) {
    const runnable = prepareInArena(runner, program, { without });
    random.reset();
    const runs: Snapshot[] = [];
    for (let run = 0; run < RUNS; run++) {
      const inputs = random.inputs(run);
      // Waiting on the first, without blocking on the others.
      runs.push(
        random.snapshot(first === undefined ? runnable.runSync(inputs) : await runFree(runnable, inputs)),
      );
    }
    runnable.free();
    if (first === undefined) expect(`${name}, in the arena`, runs);
    else expectSame(`${name}, without blocking and on several threads`, runs, first);
    first ??= runs;
  }
}

/** Numbers from 0 to 1 for what needs no more than to be spread (Park and Miller, CACM 31, 1988). */
function lehmer(): () => number {
  let state = 1;
  return () => {
    state = (state * 48271) % 0x7fffffff;
    return state / 0x7fffffff;
  };
}

// The one call that makes core fast: it probes the host, starts the threads, and installs generated code in core's
// kernels. What has no fast form here, or not for some dims, runs as before.
//
// Calls of `accelerate` and `restore` take effect one after the other. What runs meanwhile ends as it began: the former
// threads and their memory go when nothing runs on them any more.

import {
  type Arrays,
  expectBetween,
  expectInteger,
  expectOptions,
  installKernel,
  installPreparer,
  type Kernel,
  kernelNames,
  kindOf,
} from "@saunet/core/kernels";
import { cores } from "#spawn";
import { detectFeatures, type Features } from "./features.ts";
import { fusedGenerators, fusions } from "./fusions/index.ts";
import { generators } from "./kernels/index.ts";
import { Arena, MemoryError } from "./memory.ts";
import { CONVOLUTIONS, type Convolutions, type Generator } from "./plan.ts";
import { prepareInArena } from "./program.ts";
import { after, keepResultsIn } from "./resident.ts";
import { alone, type Crew, lengthsOf, Runner } from "./runner.ts";
import { type MakeWorker, Pool } from "./threads/pool.ts";

/** How to accelerate. */
export interface AccelerateOptions {
  /** Threads that share the work, the caller's among them; default: as many as the host has cores. */
  readonly threads?: number;
  /**
   * Whether multiplication and addition may be one instruction that rounds once, where the host has it. It is a
   * tenth faster; results then differ between hosts in their last bits. Default: true. Node 20 has it only when started
   * with `--experimental-wasm-relaxed-simd`, as the command `saunet` is; Node 22 and Chromium 114 have it always.
   */
  readonly relaxed?: boolean;
  /**
   * Rewrites that captured programs do not undergo before they run, among {@link FUSION_NAMES}. Rewrites change results
   * in their last bits; without any a program gives what its kernels give one by one, bit for bit. Default: none.
   */
  readonly withoutFusions?: readonly string[];
  /**
   * Algorithms that convolutions keep to. The default, `"fastest"`, takes Winograd's wherever they cost less;
   * `"direct"` rounds least and takes two to three times as long.
   */
  readonly convolutions?: Convolutions;
  /**
   * Whether results of operators stay in the memory of the kernels, so that running operators one by one copies nothing:
   * twice as fast at 592x592. Off by default, because such arrays want care. They lie in a `WebAssembly.Memory`, shared
   * where there are threads: `postMessage` does not copy them, some interfaces of browsers refuse them, and a view or
   * buffer taken of one must not be used once nobody holds the array itself. `array.slice()` is a copy of one's own.
   * Captured programs copy nothing either way.
   */
  readonly resident?: boolean;
  /** How far the memory of the kernels may grow, in bytes; default: 4 GiB, the most that there is. */
  readonly memoryLimit?: number;
  /**
   * In browsers: makes the workers that are the threads, from the address of a script. Default: `new Worker(script)`.
   * For an engine that runs in a worker itself, whose page makes all workers. Node makes its threads without it.
   */
  readonly worker?: MakeWorker;
}

/** All options but one have a default. */
type Settings = Required<Omit<AccelerateOptions, "worker">> & { readonly worker: MakeWorker | undefined };

/** What came of it. */
export interface AccelerationReport {
  readonly features: Features;
  readonly threads: number;
  readonly relaxed: boolean;
  /** Kernels that now have generated code. */
  readonly kernels: readonly string[];
  /** Kernels that have none and run in TypeScript: of all that are declared in this process. */
  readonly missing: readonly string[];
  /**
   * Why something was not done: fewer threads than asked for, no relaxed SIMD, nothing at all. Later too: a kernel whose
   * arrays do not fit the memory runs in TypeScript, and is named here when that happens first.
   */
  readonly reasons: readonly string[];
}

/** The names of all rewrites, in the order in which they are tried. */
export const FUSION_NAMES: readonly string[] = /* @__PURE__ */ fusions.map(({ name }) => name);

/** What is in force. */
interface Acceleration {
  readonly options: Settings;
  /** What the threads need of the arena. */
  readonly least: number;
  /** Absent on one thread. */
  readonly pool: Pool | undefined;
  readonly runner: Runner;
  /** The names of kernels that did not fit, and where to report them. */
  readonly misfits: Set<string>;
  readonly reasons: string[];
  lastUse: number;
  timer: unknown;
  /** Has results of operators come from the host again. */
  endResidence: () => void;
}

let current: Acceleration | undefined;

const OPTIONS = ["threads", "relaxed", "withoutFusions", "convolutions", "resident", "memoryLimit", "worker"];

/** Memory that once was in use is given back to the system when nothing lives in it any more, if it is more than this. */
const KEPT_BYTES = 2 ** 26;
/** That is looked into so long after a program was released, or after the last operator ran, in milliseconds. */
const [AFTER_RELEASE, AFTER_OPERATORS] = [100, 5000];

/**
 * Installs WebAssembly kernels in `@saunet/core`, for every tensor of this process. A second call replaces what the
 * first one did; programs that were prepared before are planned anew at their next run.
 *
 * Never fails because the host lacks something: the report says what could not be had, and why.
 *
 * @throws RangeError where an option makes no sense; TypeError where there is none of that name
 * @example
 * const { threads, kernels, reasons } = await accelerate({ threads: 2 });
 * console.log(threads, kernels.includes("conv2d.forward"), reasons); // 2 true []
 * await restore();
 */
export async function accelerate(options: AccelerateOptions = {}): Promise<AccelerationReport> {
  expectOptions("accelerate", options, OPTIONS);
  const wanted: Settings = {
    threads: options.threads ?? cores(),
    relaxed: options.relaxed ?? true,
    withoutFusions: options.withoutFusions ?? [],
    convolutions: options.convolutions ?? "fastest",
    resident: options.resident ?? false,
    memoryLimit: options.memoryLimit ?? 2 ** 32,
    worker: options.worker,
  };
  checkOptions(wanted);
  return inTurn(() => begin(wanted, []));
}

function checkOptions({ threads, memoryLimit, convolutions, withoutFusions, worker }: Settings): void {
  expectInteger("accelerate", "threads", threads, 1);
  expectBetween("accelerate", "memoryLimit", memoryLimit, 2 ** 24, 2 ** 32);
  if (!CONVOLUTIONS.includes(convolutions)) {
    throw new RangeError(
      `accelerate: convolutions must be one of ${CONVOLUTIONS.join(", ")} but is ${convolutions}`,
    );
  }
  if (worker !== undefined && typeof worker !== "function") {
    throw new TypeError(`accelerate: worker must be a function but is ${kindOf(worker)}`);
  }
  const unknown = withoutFusions.find((name) => !FUSION_NAMES.includes(name));
  if (unknown !== undefined) {
    throw new RangeError(
      `accelerate: withoutFusions must be among ${FUSION_NAMES.join(", ")} but names ${unknown}`,
    );
  }
}

/**
 * Takes the kernels out again: from now on everything runs in TypeScript, unless a call of {@link accelerate} is still
 * under way, whose turn is first.
 *
 * @returns resolves when what ran on the threads has ended, and they have exited
 * @example
 * await accelerate({ threads: 1 });
 * await restore();
 */
export function restore(): Promise<void> {
  return inTurn(() => replaceBy(undefined));
}

let calls = 0;
let lastCall: Promise<unknown> = Promise.resolve();

/** One call after the other; the first one begins at once. */
function inTurn<T>(call: () => Promise<T>): Promise<T> {
  const own = calls === 0 ? call() : lastCall.then(call);
  calls++;
  lastCall = own
    .catch(() => {})
    .then(() => {
      calls--;
    });
  return own;
}

async function begin(
  options: Settings,
  reasons: string[],
  isStillWanted = () => true,
): Promise<AccelerationReport> {
  const features = detectFeatures();
  const note = (feature: { available: boolean; reason?: string }, lost: string) => {
    if (!feature.available) reasons.push(`${lost}: ${feature.reason}`);
    return feature.available;
  };
  const lacking = async (): Promise<AccelerationReport> => {
    await replaceBy(undefined);
    return { features, threads: 1, relaxed: false, kernels: [], missing: kernelNames(), reasons };
  };
  if (!note(features.simd, "nothing is accelerated") || !note(features.bulkMemory, "nothing is accelerated"))
    return lacking();

  const relaxed = options.relaxed && features.relaxedSimd.available;
  const shared = options.threads > 1 && note(features.threads, "one thread");
  let arena: Arena;
  try {
    arena = new Arena(shared, options.memoryLimit);
  } catch (error) {
    reasons.push(`nothing is accelerated: the host grants no memory (${(error as Error).message})`);
    return lacking();
  }
  let pool: Pool | undefined;
  if (shared) {
    try {
      pool = await Pool.start(arena, options.threads, options.worker);
    } catch (error) {
      reasons.push(`one thread: ${(error as Error).message}`);
    }
  }
  const crew: Crew = pool ?? alone;
  if (isStillWanted()) {
    const runner = new Runner(arena, crew, { relaxed, convolutions: options.convolutions });
    const least = arena.used;
    const parts = { options, least, pool, runner, reasons, misfits: new Set<string>() };
    await replaceBy({ ...parts, lastUse: 0, timer: undefined, endResidence: () => {} });
  } else pool?.stop();
  const kernels = generators.map(({ kernel }) => kernel.name);
  const fast = new Set([...generators, ...fusedGenerators].map(({ kernel }) => kernel.name));
  const missing = kernelNames().filter((name) => !fast.has(name));
  return { features, threads: crew.threads, relaxed, kernels, missing, reasons };
}

/** Puts another acceleration, or none, in force; the former one ends with what still runs on it. */
async function replaceBy(next: Acceleration | undefined): Promise<void> {
  const former = current;
  current = next;
  if (former === undefined && next === undefined) return;
  former?.endResidence();
  for (const generator of generators) {
    installKernel(generator.kernel as Kernel<Arrays>, next && formOf(next, generator));
  }
  const isIdle = installPreparer(
    next &&
      ((program) =>
        prepareInArena(next.runner, program, {
          without: next.options.withoutFusions,
          onMisfit: (error) => reportMisfit(next, "a program", error),
          onFree: () => giveMemoryBack(next, AFTER_RELEASE),
        })),
  );
  if (next?.options.resident)
    next.endResidence = keepResultsIn(next.runner.arena, () => giveMemoryBack(next, AFTER_RELEASE));
  await isIdle;
  former?.pool?.stop();
}

/** A kernel in generated code. */
function formOf(acceleration: Acceleration, generator: Generator): (arrays: Arrays, dims: unknown) => void {
  const { kernel } = generator;
  const { runner } = acceleration;
  const isNarrow = (array: unknown) => !(array instanceof Float64Array);
  return (arrays, dims) => {
    const plan = Object.values(arrays).every(isNarrow)
      ? runner.plan(generator, lengthsOf(kernel, arrays), dims)
      : undefined;
    if (plan !== undefined) {
      try {
        runner.run(kernel, plan, arrays, () => kernel.portable(arrays as never, dims as never));
        giveMemoryBack(acceleration, AFTER_OPERATORS);
        return;
      } catch (error) {
        if (!(error instanceof MemoryError)) throw error;
        reportMisfit(acceleration, kernel.name, error);
      }
    }
    kernel.portable(arrays as never, dims as never);
  };
}

function reportMisfit({ misfits, reasons }: Acceleration, name: string, { message }: MemoryError): void {
  if (misfits.has(name)) return;
  misfits.add(name);
  reasons.push(`${name} runs without acceleration: ${message}`);
}

/**
 * Looks, after a while, whether anything lives in the arena. A memory of WebAssembly never shrinks: it is given back as a
 * whole, and a small one takes its place, with other threads.
 */
function giveMemoryBack(acceleration: Acceleration, delay: number): void {
  const { options, least, reasons } = acceleration;
  const { arena } = acceleration.runner;
  // Nearly every operator ends here, in no time.
  if (arena.touched <= KEPT_BYTES) return;
  const isEmpty = () => acceleration === current && arena.used === least;
  acceleration.lastUse = performance.now();
  if (acceleration.timer !== undefined && delay === AFTER_OPERATORS) return;
  acceleration.timer = after(delay, () => {
    acceleration.timer = undefined;
    if (performance.now() - acceleration.lastUse < delay) giveMemoryBack(acceleration, delay);
    else if (isEmpty())
      void inTurn(async () => {
        if (isEmpty()) await begin(options, reasons, isEmpty);
      });
  });
}

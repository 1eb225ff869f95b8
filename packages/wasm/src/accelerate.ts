// The one call that makes core fast: it probes the host, starts the threads, and installs generated code in core's
// kernels. What has no fast form here, or not for some dims, runs as before.

import * as core from "@saunet/core";
import { type AnyKernel, type Arrays, installKernel, installPreparer, type Kernel } from "@saunet/core";
import { cores } from "#spawn";
import { detectFeatures, type Features } from "./features.ts";
import { fusions } from "./fusions/index.ts";
import { generators } from "./kernels/index.ts";
import { Arena } from "./memory.ts";
import { CONVOLUTIONS, type Convolutions, type Generator } from "./plan.ts";
import { prepareInArena } from "./program.ts";
import { keepResultsIn } from "./resident.ts";
import { alone, type Crew, lengthsOf, Runner } from "./runner.ts";
import { Pool } from "./threads/pool.ts";

/** How to accelerate. */
export interface AccelerateOptions {
  /** Threads that share the work, the caller's among them; as many as the host has cores when left out. */
  readonly threads?: number;
  /**
   * Whether multiplication and addition may be one instruction that rounds once, where the host has it. It is a
   * tenth faster; results then differ between hosts in their last bits. True when left out. Node 20 has it only when started
   * with `--experimental-wasm-relaxed-simd`, as the command `saunet` is; Node 22 and Chromium 114 have it always.
   */
  readonly relaxed?: boolean;
  /**
   * Rewrites that captured programs do not undergo before they run, among {@link FUSION_NAMES}. Rewrites change results
   * in their last bits; without any a program gives what its kernels give one by one, to the bit. None when left out.
   */
  readonly withoutFusions?: readonly string[];
  /**
   * Algorithms that convolutions keep to. `"fastest"`, when left out, takes Winograd's wherever they cost less;
   * `"direct"` rounds least and takes two to three times as long.
   */
  readonly convolutions?: Convolutions;
  /**
   * Whether results of operators stay in the memory of the kernels, so that running operators one by one copies nothing:
   * twice as fast at 592x592. Off when left out, because such arrays want care. They lie in a `WebAssembly.Memory`, shared
   * where there are threads: `postMessage` does not copy them, some interfaces of browsers refuse them, and a view or
   * buffer taken of one must not be used once nobody holds the array itself. `array.slice()` is a copy of one's own.
   * Captured programs copy nothing either way.
   */
  readonly resident?: boolean;
  /** How far the memory of the kernels may grow, in bytes; 4 GiB, the most that there is, when left out. */
  readonly memoryLimit?: number;
}

/** What came of it. */
export interface AccelerationReport {
  readonly features: Features;
  readonly threads: number;
  readonly relaxed: boolean;
  /** Kernels that now have generated code. */
  readonly kernels: readonly string[];
  /** Kernels that run in TypeScript. */
  readonly missing: readonly string[];
  /** Why something was not done: fewer threads than asked for, no relaxed SIMD, nothing at all. */
  readonly reasons: readonly string[];
}

/** The names of all rewrites, in the order in which they are tried. */
export const FUSION_NAMES: readonly string[] = /* @__PURE__ */ fusions.map(({ name }) => name);

/** What is in force; its pool is absent on one thread. */
let current: { readonly pool: Pool | undefined; readonly release: () => void } | undefined;

/**
 * Installs WebAssembly kernels in `@saunet/core`, for every tensor of this process. A second call replaces what the
 * first one did.
 *
 * Never throws because the host lacks something: the report says what could not be had, and why.
 *
 * @throws RangeError where an option makes no sense
 * @example
 * const { threads, kernels, reasons } = await accelerate({ threads: 2 });
 * console.log(threads, kernels.includes("conv2d.forward"), reasons); // 2 true []
 * restore();
 */
export async function accelerate(options: AccelerateOptions = {}): Promise<AccelerationReport> {
  const {
    threads = cores(),
    relaxed = true,
    convolutions = "fastest",
    memoryLimit = 2 ** 32,
    withoutFusions = [],
    resident = false,
  } = options;
  core.expectInteger("accelerate", "threads", threads, 1);
  core.expectBetween("accelerate", "memoryLimit", memoryLimit, 2 ** 24, 2 ** 32);
  if (!CONVOLUTIONS.includes(convolutions)) {
    throw new RangeError(
      `accelerate: convolutions must be one of ${CONVOLUTIONS.join(", ")} but is ${convolutions}`,
    );
  }
  const unknown = withoutFusions.find((name) => !FUSION_NAMES.includes(name));
  if (unknown !== undefined) {
    throw new RangeError(
      `accelerate: withoutFusions must be among ${FUSION_NAMES.join(", ")} but names ${unknown}`,
    );
  }
  restore();
  const features = detectFeatures();
  const reasons: string[] = [];
  const note = (feature: { available: boolean; reason?: string }, lost: string) => {
    if (!feature.available) reasons.push(`${lost}: ${feature.reason}`);
    return feature.available;
  };
  const base = { features, threads: 1, relaxed: false, kernels: [], missing: kernelNames(), reasons };
  if (!note(features.simd, "nothing is accelerated") || !note(features.bulkMemory, "nothing is accelerated"))
    return base;

  const useRelaxed = relaxed && features.relaxedSimd.available;
  const shared = threads > 1 && note(features.threads, "one thread");
  const arena = new Arena(shared, memoryLimit);
  let pool: Pool | undefined;
  if (shared) {
    try {
      pool = await Pool.start(arena, threads);
    } catch (error) {
      reasons.push(`one thread: ${(error as Error).message}`);
    }
  }
  const crew: Crew = pool ?? alone;
  const runner = new Runner(arena, crew, { relaxed: useRelaxed, convolutions });
  for (const generator of generators) install(runner, generator);
  installPreparer((program) => prepareInArena(runner, program, withoutFusions));
  const kernels = generators.map(({ kernel }) => kernel.name);
  const missing = kernelNames().filter((name) => !kernels.includes(name));
  current = { pool, release: resident ? keepResultsIn(arena) : () => {} };
  return { features, threads: crew.threads, relaxed: useRelaxed, kernels, missing, reasons };
}

/** Takes the kernels out again and ends the threads. */
export function restore(): void {
  if (current === undefined) return;
  for (const { kernel } of generators) installKernel(kernel as Kernel, undefined);
  installPreparer(undefined);
  current.release();
  current.pool?.stop();
  current = undefined;
}

function install(runner: Runner, generator: Generator): void {
  const { kernel } = generator;
  const isNarrow = (array: unknown) => !(array instanceof Float64Array);
  installKernel(kernel as Kernel<Arrays>, (arrays, dims) => {
    const plan = Object.values(arrays).every(isNarrow)
      ? runner.plan(generator, lengthsOf(kernel, arrays), dims)
      : undefined;
    if (plan === undefined) kernel.portable(arrays as never, dims as never);
    else runner.run(kernel, plan, arrays);
  });
}

/** Every kernel that core exports. */
function kernelNames(): string[] {
  const isKernel = (value: unknown): value is AnyKernel =>
    typeof value === "function" && "portable" in value && "roles" in value;
  return Object.values(core)
    .filter(isKernel)
    .map(({ name }) => name);
}

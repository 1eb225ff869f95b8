// A fixed piece of work that runs between everything else, so that the machine's own drift can be told from a change of what
// is measured: a neighbour on the host slows down the probe as well. There is one for each thing that may drift apart from
// the others: arithmetic in TypeScript, SIMD in registers, and memory.

import { type Chains, memorySweep, scalarChains, simdChains } from "./peak.ts";
import type { Probe } from "./schema.ts";
import { median } from "./statistics.ts";

/** A millisecond or two each. */
const STEPS = { scalar: 400_000, simd: 400_000 };
/** Larger than the caches that one core can have for itself. */
const BYTES = 2 ** 26;
const REPEATS = 7;

let work: Readonly<Record<keyof Probe, () => void>> | undefined;

function prepared(): Readonly<Record<keyof Probe, () => void>> {
  if (work !== undefined) return work;
  const simd: Chains = simdChains(false);
  const sweep = memorySweep(BYTES);
  work = {
    scalar: () => void scalarChains(STEPS.scalar),
    simd: () => void simd(STEPS.simd),
    memory: () => sweep(BYTES, 1),
  };
  return work;
}

/** Runs the probe; tells the milliseconds of each of its parts. */
export function runProbe(): Probe {
  const of = (run: () => void): number =>
    median(
      Array.from({ length: REPEATS }, () => {
        const start = performance.now();
        run();
        return performance.now() - start;
      }),
    );
  const { scalar, simd, memory } = prepared();
  return { scalar: of(scalar), simd: of(simd), memory: of(memory) };
}

/** The probe of a stretch of time from those before and after it. */
export function between(before: Probe, after: Probe): Probe {
  const middle = (part: keyof Probe) => Number(Math.sqrt(before[part] * after[part]).toPrecision(5));
  return { scalar: middle("scalar"), simd: middle("simd"), memory: middle("memory") };
}

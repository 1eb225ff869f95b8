// What a peer takes, divided by what ours takes.

import { OURS, REFERENCE } from "./names.ts";
import { isMeasured, precise } from "./rows.ts";
import type { MachineRecord, Row } from "./schema.ts";

/** Each peer against ours on the same threads, and the same shape where there are several. */
export function ratiosOf(rows: readonly Row[]): Record<string, number> {
  const measured = rows.filter(isMeasured);
  const ratios: Record<string, number> = {};
  for (const row of measured) {
    const { name, threads, shape, median_ms } = row;
    const ours = measured.find(
      (other) => other.threads === threads && other.shape === shape && other.name === oursFor(name),
    );
    if (ours === undefined || ours === row) continue;
    ratios[`${name}/${threads}${shape === undefined ? "" : `@${shape}`}`] = precise(
      median_ms / ours.median_ms,
    );
  }
  return ratios;
}

/** The name of our row that a peer's row is held against. */
function oursFor(name: string): string | undefined {
  const [kernel, ...words] = name.split(" ");
  if (words.length === 0) return name === OURS || name === REFERENCE ? undefined : OURS;
  const isOurForm = words[0] === "typescript" || words[1] === "once" || words.join(" ") === "accelerated";
  return isOurForm ? undefined : `${kernel} accelerated`;
}

/** Ours as a share of what as many cores could do. */
export function peakShares(rows: readonly Row[], { peak_gflops }: MachineRecord): Record<string, number> {
  const peak = Math.max(peak_gflops.simd, peak_gflops.relaxedSimd ?? 0);
  const shares: Record<string, number> = {};
  for (const { name, threads, shape, gflops } of rows.filter(isMeasured))
    if (name === OURS && gflops !== undefined)
      shares[`${threads}@${shape}`] = precise(gflops / (peak * threads));
  return shares;
}

// Sums that strips of tiles leave of their outputs, and the mean and variance of groups of channels that come of them.
//
// A strip leaves, by channel: a pivot p (its first output), s = Σ (out - p), q = Σ (out - p)²; and its area n in pixels.
// For a group, with e = p - the first strip's first pivot of it:
//
//   t = Σ (s + n e)      u = Σ (q + 2 e s + n e²)      over its channels and all strips, in double
//   mean = that first pivot + t / PD                   variance = u / PD - (t / PD)²

import type { GroupNormDims } from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, type I32 } from "../../asm/index.ts";
import { forEachChannel, writeMoments } from "../norm-groups.ts";

/** Bytes of a strip's sums: pivots, s and q of all channels, then the area. */
export const tallyBytes = (channels: number): number => (3 * channels + 4) * FLOAT;

/** Where the parts of a strip's sums lie, in bytes. */
export const tallyPlaces = (channels: number) => {
  const row = channels * FLOAT;
  return { pivot: 0, sum: row, square: 2 * row, area: 3 * row } as const;
};

/**
 * Writes mean and variance of the groups `from` … `to - 1` of one image.
 *
 * @param sums where the first strip's sums begin
 */
export function writeStatistics(
  f: FunctionBuilder,
  d: GroupNormDims,
  strips: number,
  { from, to, sums }: { readonly from: I32; readonly to: I32; readonly sums: I32 },
  arrays: { readonly mean: I32; readonly variance: I32 },
): void {
  const { i32, f32, f64 } = f;
  const places = tallyPlaces(d.C);
  const [n, s, e] = f.locals("sum", "f64", 3);
  const [at, strip, back, other] = f.locals("strip", "i32", 4);
  const load = (offset: number) => f64.promote_f32(f32.load(at, { offset }));
  writeMoments(f, d, { from, to }, arrays, ({ channel }, { t, u, first }) => {
    // The area follows the sums of all channels, wherever in them `at` is.
    f.set(back, i32.mul(channel, FLOAT));
    f.set(strip, i32.add(sums, back));
    f.set(first, f64.promote_f32(f32.load(strip)));
    forEachChannel(f, d.D, [strip, back], () => {
      f.set(at, strip);
      f.forRange(other, { to: strips }, () => {
        const area = f.let("area", i32.load(i32.sub(at, back), { offset: places.area }));
        f.set(n, f64.convert_i32_s(area));
        f.set(s, load(places.sum));
        f.set(e, f64.sub(load(places.pivot), first));
        f.set(t, f64.add(t, f64.add(s, f64.mul(n, e))));
        f.set(u, f64.add(u, f64.add(load(places.square), f64.mul(e, f64.add(f64.add(s, s), f64.mul(n, e))))));
        f.advance(at, tallyBytes(d.C));
      });
    });
  });
}

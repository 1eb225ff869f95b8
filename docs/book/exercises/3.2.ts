/**
 * How many outputs a filter of `taps` taps has along an axis of `size` pixels, with `padding` zeros on either side and
 * steps of `stride` pixels. Without padding, 3 taps on 5 pixels make 3 outputs.
 */
export function outputSize(size: number, taps: number, padding: number, stride: number): number {
  return Math.floor((size + 2 * padding - taps) / stride) + 1;
}

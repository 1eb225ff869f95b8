/**
 * The most pixels that a register tile may have. A tile of `pixels` by `vectors` needs a register for each of its sums, for
 * each input (one per pixel), for each vector of weights, and one for a product. There are `registers` of them.
 *
 * With 15 registers and 4 vectors it is 2.
 */
export function pixelsOfTile(vectors: number, registers: number): number {
  let pixels = 0;
  while ((pixels + 1) * vectors + (pixels + 1) + vectors + 1 <= registers) pixels++;
  return pixels;
}

/**
 * The place of a number in the list: row `y`, column `x`, channel `c` of a picture of `width` pixels with three channels.
 */
export function placeOf(width: number, y: number, x: number, c: number): number {
  return (y * width + x) * 3 + c;
}

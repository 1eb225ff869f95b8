/**
 * How many multiplications a 3×3 convolution of a picture `[height, width]` takes, from `C` to `O` channels, with padding
 * `"same"`. Count products with the zeros of the padding, too.
 */
export function multiplications(height: number, width: number, C: number, O: number): number {
  return height * width * O * 9 * C;
}

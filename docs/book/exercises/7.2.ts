/**
 * How many pixels wide the receptive field of one number is, after these layers, first to last: `"conv"` is a 3×3
 * convolution, `"pool"` a 2×2 pooling. One convolution sees 3 pixels; a pooling sees 2, and then every step is twice as wide.
 */
export function receptiveField(layers: readonly ("conv" | "pool")[]): number {
  let [field, step] = [1, 1];
  for (const layer of layers) {
    if (layer === "conv") field += 2 * step;
    else {
      field += step;
      step *= 2;
    }
  }
  return field;
}

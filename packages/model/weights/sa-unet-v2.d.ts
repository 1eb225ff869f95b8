/**
 * The weights of SA-UNetv2 in 16-bit floats, as a file in memory that `loadSegmenter` and `readWeights` take. A module,
 * so that every bundler carries it along; import it on demand. The exact weights are
 * `@saunet/model/weights/sa-unet-v2.safetensors`.
 *
 * @example
 * const { default: weights } = await import("@saunet/model/weights");
 * const segmenter = await loadSegmenter({ weights });
 */
declare const weights: Uint8Array;
export default weights;

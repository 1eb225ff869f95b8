// Smooth random fields and blurring, on which background and camera build.

import { normal, type RandomState } from "@saunet/core";

/** Standard deviation that one axis of cubic B-spline interpolation leaves of independent unit normals, squared. */
const SPLINE_VARIANCE = 151 / 315;

/**
 * A random field `[height, width]` of mean 0 and deviation near 1 without detail finer than about `spacing` pixels:
 * independent normal numbers on a coarse grid, joined by cubic B-splines.
 */
export function smoothField(
  width: number,
  height: number,
  spacing: number,
  state: RandomState,
): Float32Array {
  const columns = Math.ceil(width / spacing) + 3;
  const rows = Math.ceil(height / spacing) + 3;
  const grid = normal([rows, columns], state, { deviation: 1 / SPLINE_VARIANCE, limit: 3 }).data;
  const weights = new Float64Array(4);
  const stretched = new Float32Array(rows * width);
  for (let x = 0; x < width; x++) {
    const cell = splineWeights(x / spacing, weights);
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += weights[k] * grid[row * columns + cell + k];
      stretched[row * width + x] = sum;
    }
  }
  const field = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const start = splineWeights(y / spacing, weights) * width;
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += weights[k] * stretched[start + k * width + x];
      field[y * width + x] = sum;
    }
  }
  return field;
}

/** Writes the four weights of a cubic B-spline at `position` and tells the first grid point they belong to. */
function splineWeights(position: number, weights: Float64Array): number {
  const cell = Math.floor(position);
  const t = position - cell;
  weights[0] = (1 - t) ** 3 / 6;
  weights[1] = (3 * t ** 3 - 6 * t ** 2 + 4) / 6;
  weights[2] = (-3 * t ** 3 + 3 * t ** 2 + 3 * t + 1) / 6;
  weights[3] = t ** 3 / 6;
  return cell;
}

/** Blurs `[height, width, channels]` in place with a Gaussian of the given deviation in pixels; edges repeat. */
export function blur(
  values: Float32Array,
  width: number,
  height: number,
  channels: number,
  deviation: number,
): void {
  const reach = Math.ceil(3 * deviation);
  const taps = Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-((i - reach) ** 2) / (2 * deviation ** 2)),
  );
  const total = taps.reduce((sum, tap) => sum + tap, 0);
  const line = new Float32Array(Math.max(width, height) + 2 * reach);
  const along = (start: number, step: number, count: number): void => {
    for (let i = -reach; i < count + reach; i++) {
      line[i + reach] = values[start + Math.min(Math.max(i, 0), count - 1) * step];
    }
    for (let i = 0; i < count; i++) {
      let sum = 0;
      for (let k = 0; k < taps.length; k++) sum += taps[k] * line[i + k];
      values[start + i * step] = sum / total;
    }
  };
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) along(y * width * channels + c, channels, width);
    for (let x = 0; x < width; x++) along(x * channels + c, width * channels, height);
  }
}

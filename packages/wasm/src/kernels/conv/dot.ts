// 1x1 convolutions into one channel, such as a segmentation's head: for each pixel a dot product over its channels,
// four channels at a time. The weights stay in registers; reading the image sets the pace.
//
//   for each four pixels:
//     sums[p] = Σ_v x[p][v] · w[v]
//     out     = the lanes of each sums[p] added up, side by side, plus the bias

import type { Axis, Correlation } from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, VECTOR } from "../../asm/index.ts";
import type { StepLocals, Steps } from "./steps.ts";

/** Weights that fit into registers beside four sums and an input. */
const MOST_CHANNELS = 32;
/** Pixels of an item. */
const PIXELS = 4096;

/** Whether a correlation is of this kind. */
export function isDot({ N, I, O, rows, columns, filter }: Correlation): boolean {
  const plain = ({ step, phases: [phase, ...others], inSize, outSize }: Axis) =>
    step === 1 && others.length === 0 && phase.taps.length === 1 && phase.start === 0 && inSize === outSize;
  const enough = N * rows.outSize * columns.outSize >= 4;
  return (
    O === 1 && I % 4 === 0 && I <= MOST_CHANNELS && filter.i === 1 && plain(rows) && plain(columns) && enough
  );
}

/** The phase of a correlation for which {@link isDot} holds. */
export function dotSteps({ N, I, rows, columns }: Correlation, relaxed: boolean): Steps {
  const pixels = N * rows.outSize * columns.outSize;
  return {
    tile: `dot_4x${I}_${relaxed ? "relaxed" : "simd"}`,
    key: [pixels, I, relaxed],
    steps: [
      {
        items: Math.ceil(pixels / PIXELS),
        write: (f, locals) => writePixels(f, locals, { pixels, I, relaxed }),
      },
    ],
  };
}

function writePixels(
  f: FunctionBuilder,
  { from, to, input, output, filter, bias: addend }: StepLocals,
  { pixels, I, relaxed }: { readonly pixels: number; readonly I: number; readonly relaxed: boolean },
): void {
  const { i32, v128, f32x4 } = f;
  const madd = f.multiplyAdd(relaxed);
  const weights = f.locals("w", "v128", I / 4);
  const sums = f.locals("sum", "v128", 4);
  const bias = f.local("bias", "v128");
  const { pixel, end, x, y } = f.declare("i32");
  weights.forEach((weight, v) => {
    f.set(weight, v128.load(filter, { offset: v * VECTOR, align: FLOAT }));
  });
  if (addend !== undefined) f.set(bias, v128.load32_splat(addend));
  /** Of two vectors, one's numbers of even places and the other's: what lies side by side is added up. */
  const addNeighbours = (a: (typeof sums)[number], b: (typeof sums)[number]) =>
    f32x4.add(f.pick(a, b, [0, 2, 4, 6]), f.pick(a, b, [1, 3, 5, 7]));
  f.set(end, f.min(i32.mul(to, PIXELS), pixels));
  f.set(pixel, i32.mul(from, PIXELS));
  f.until(
    () => i32.ge_s(pixel, end),
    () => {
      // The last four may overlap those before; they come out the same.
      f.set(pixel, f.min(pixel, pixels - 4));
      f.set(x, f.at(input, pixel, I * FLOAT));
      f.set(y, f.at(output, pixel, FLOAT));
      sums.forEach((sum, p) => {
        weights.forEach((weight, v) => {
          const values = () => v128.load(x, { offset: p * I * FLOAT + v * VECTOR, align: FLOAT });
          f.set(sum, v === 0 ? f32x4.mul(values(), weight) : madd(sum, values(), weight));
        });
      });
      f.set(sums[0], addNeighbours(sums[0], sums[1]));
      f.set(sums[2], addNeighbours(sums[2], sums[3]));
      f.set(sums[0], addNeighbours(sums[0], sums[2]));
      if (addend !== undefined) f.set(sums[0], f32x4.add(sums[0], bias));
      v128.store(y, sums[0], { align: FLOAT });
      f.advance(pixel, 4);
    },
  );
}

// A gated skip connection and the concatenation after it in one pass:
//
//   y[p] = [ a[p, 0 … A-1], b[p, 0 … B-1] · gate[p] ]      for every pixel p
//
// The gated features are never written on their own.

import {
  type Alternation,
  concatForward,
  type Floats,
  kernel,
  mulForward,
  type Walk,
} from "@saunet/core/kernels";
import { FLOAT, VECTOR } from "../asm/index.ts";
import { MEMORY_GRAIN, SMALLEST } from "../kernels/stream.ts";
import { type Generator, generator } from "../plan.ts";
import { type Fusion, joinPair } from "./rewrite.ts";

/** Channels of the two halves. */
export interface GateDims {
  readonly A: number;
  readonly B: number;
}

interface GateArrays {
  y: Floats;
  a: Floats;
  b: Floats;
  gate: Floats;
}

/** See the head of this file. */
export const gateConcat = kernel(
  "gate.concat",
  { y: "write", a: "read", b: "read", gate: "read" },
  ({ y, a, b, gate }: GateArrays, { A, B }: GateDims) => {
    for (let p = 0; p < gate.length; p++) {
      const out = p * (A + B);
      for (let c = 0; c < A; c++) y[out + c] = a[p * A + c];
      for (let c = 0; c < B; c++) y[out + A + c] = b[p * B + c] * gate[p];
    }
  },
);

/** Whether a product is one of pixels by a number each, and with how many channels. */
function gatedChannels({ shape, strides }: Walk): number | undefined {
  const [out, features, gate] = strides.map(String);
  const [pixels, channels] = shape;
  return shape.length === 2 &&
    pixels > 0 &&
    out === `${channels},1` &&
    features === `${channels},1` &&
    gate === "1,0"
    ? channels
    : undefined;
}

export const gateConcatFusion: Fusion = {
  name: "gate+concat",
  patterns: [
    /* @__PURE__ */ joinPair({
      place: "reader",
      writer: mulForward,
      result: "out",
      reader: concatForward,
      operand: "b",
      join: (multiply, join) => {
        const B = gatedChannels(multiply.dims as Walk);
        const { sizeA, sizeB } = join.dims as Alternation;
        if (B === undefined || B !== sizeB) return undefined;
        const { a: b, b: gate } = multiply.buffers;
        return {
          kernel: gateConcat,
          buffers: { y: join.buffers.y, a: join.buffers.a, b, gate },
          dims: { A: sizeA, B: sizeB } satisfies GateDims,
        };
      },
    }),
  ],
};

/**
 * for each pixel:  copy A/4 vectors of a;  g = gate[p] in all lanes;  B/4 vectors of b times g
 */
export const gateConcatGenerator: Generator = generator(gateConcat, ({ A, B }: GateDims, { gate }) => {
  if (A % 4 !== 0 || B % 4 !== 0 || gate! * (A + B) < SMALLEST) return undefined;
  return {
    name: `gate_concat_f32_${A}x${B}_simd`,
    phases: [
      {
        items: gate!,
        grain: Math.ceil(MEMORY_GRAIN / (A + B)),
        write: (f, { from, to, arrays }) => {
          const { f32x4, v128 } = f;
          const { y, a, b, gate } = arrays;
          const g = f.local("g", "v128");
          const floats = [A + B, A, B, 1];
          const along = [y, a, b, gate].map((pointer, i) => [pointer, FLOAT * floats[i]] as const);
          f.forEachItem({ from, to }, along, () => {
            for (let offset = 0; offset < FLOAT * A; offset += VECTOR) {
              v128.store(y, v128.load(a, { offset, align: FLOAT }), { offset, align: FLOAT });
            }
            f.set(g, v128.load32_splat(gate));
            for (let offset = 0; offset < FLOAT * B; offset += VECTOR) {
              const gated = f32x4.mul(v128.load(b, { offset, align: FLOAT }), g);
              v128.store(y, gated, { offset: FLOAT * A + offset, align: FLOAT });
            }
          });
        },
      },
    ],
  };
});

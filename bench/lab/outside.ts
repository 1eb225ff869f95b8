// A WebAssembly module from outside as an attempt, whatever language it was written in:
//
//   memory   exported
//   conv2d   (x, w, b, y, N, H, W, C, OH, OW, O, KH, KW, strideH, strideW, dilationH, dilationW, padTop, padLeft)
//
// The first four are byte addresses, aligned to 64, after all that the module had of its memory before, in the layouts of
// attempt.ts. An optional `prepare` of the same arguments is called once, before anything is timed: the filter may be
// arranged there.

import type { Conv2dDims } from "@saunet/core/kernels";
import type { Attempt } from "./attempt.ts";

const PAGE = 65536;
const FLOAT = 4;
const ALIGNMENT = 64;

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly conv2d: (...integers: number[]) => void;
  readonly prepare?: (...integers: number[]) => void;
}

/** Makes an attempt of a module's bytes. */
export function attemptInWebAssembly(name: string, bytes: Uint8Array): Attempt {
  const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
  const exported = new Set(WebAssembly.Module.exports(module).map((each) => each.name));
  for (const wanted of ["memory", "conv2d"])
    if (!exported.has(wanted)) throw new Error(`wants an export "${wanted}"`);
  return {
    number: 0,
    name,
    code: "simd",
    serves: () => true,
    prepare: (d, { x, w, b }) => {
      const { memory, conv2d, prepare } = new WebAssembly.Instance(module).exports as unknown as Exports;
      const length = d.N * d.OH * d.OW * d.O;
      let end = memory.buffer.byteLength;
      const place = (floats: number): number => {
        const start = end;
        end += Math.ceil((floats * FLOAT) / ALIGNMENT) * ALIGNMENT;
        return start;
      };
      const at = [x.length, w.length, b.length, length].map(place);
      memory.grow(Math.ceil((end - memory.buffer.byteLength) / PAGE));
      [x, w, b].forEach((values, i) => {
        new Float32Array(memory.buffer, at[i], values.length).set(values);
      });
      const integers = [...at, ...integersOf(d)];
      prepare?.(...integers);
      // Its own memory may have grown, which makes the former view empty.
      const y = () => new Float32Array(memory.buffer, at[3], length).slice();
      return { y, run: () => conv2d(...integers) };
    },
  };
}

const integersOf = (d: Conv2dDims): number[] => [
  ...[d.N, d.H, d.W, d.C, d.OH, d.OW, d.O, d.KH, d.KW],
  ...[d.strideH, d.strideW, d.dilationH, d.dilationW, d.padTop, d.padLeft],
];

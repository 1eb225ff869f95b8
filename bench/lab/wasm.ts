// What the WebAssembly attempts share: a module with one function `run`, its memory, and the image with a border.
//
//   memory   image | padded image | filter as arranged | bias | scratch | output

import type { Conv2dDims } from "@saunet/core/kernels";
import { type FunctionBuilder, type Local, ModuleBuilder, type Value } from "@saunet/wasm/asm";
import type { Attempt } from "./attempt.ts";
import { type PaddedSize, paddedSize } from "./padded.ts";

/** Bytes of a float and of a vector of four. */
export const FLOAT = 4;
export const VECTOR = 16;

/** Where things lie, in bytes. */
export interface Places {
  readonly image: number;
  readonly padded: number;
  readonly filter: number;
  readonly bias: number;
  readonly scratch: number;
  readonly output: number;
}

/** What makes one attempt. */
export interface WasmAttempt {
  readonly number: number;
  readonly name: string;
  /** Which peak it is held against; `simd` where it is left out. */
  readonly code?: Attempt["code"];
  readonly serves: (d: Conv2dDims) => boolean;
  /** The filter in the order in which it is read. */
  readonly arrange: (w: Float32Array, d: Conv2dDims) => Float32Array;
  /** The padded image; a border on all sides as the geometry has it where this is absent. */
  readonly size?: (d: Conv2dDims) => PaddedSize;
  readonly scratchBytes?: (d: Conv2dDims) => number;
  /** Writes the body of `run`. */
  readonly write: (f: FunctionBuilder, d: Conv2dDims, at: Places) => void;
}

const PAGE = 65536;
/** What the tiles of the last row may write past the output. */
const SLACK = 1024;

/** An attempt in WebAssembly. */
export function inWebAssembly(attempt: WasmAttempt): Attempt {
  const {
    number,
    name,
    code = "simd",
    serves,
    arrange,
    size = paddedSize,
    scratchBytes = () => 0,
    write,
  } = attempt;
  return {
    number,
    name,
    code,
    serves,
    prepare: (d, { x, w, b }) => {
      const filter = arrange(w, d);
      const { rows, columns } = size(d);
      let bytes = 0;
      const place = (floats: number): number => {
        const start = bytes;
        bytes += Math.ceil((floats * FLOAT) / 64) * 64;
        return start;
      };
      const at: Places = {
        image: place(x.length),
        padded: place(d.N * rows * columns * d.C),
        filter: place(filter.length),
        bias: place(b.length),
        scratch: place(scratchBytes(d) / FLOAT),
        output: place(d.N * d.OH * d.OW * d.O + SLACK),
      };
      const m = new ModuleBuilder();
      m.exportMemory("memory", { initial: Math.ceil(bytes / PAGE) });
      m.func("run", { params: {} }, (f) => write(f, d, at));
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.build()));
      const memory = new Float32Array((exports.memory as WebAssembly.Memory).buffer);
      memory.set(x, at.image / FLOAT);
      memory.set(filter, at.filter / FLOAT);
      memory.set(b, at.bias / FLOAT);
      const y = memory.subarray(at.output / FLOAT, at.output / FLOAT + d.N * d.OH * d.OW * d.O);
      return { y: () => y.slice(), run: exports.run as () => void };
    },
  };
}

/** Writes: copy all images into their borders of zeros, a row at a time. */
export function padImages(
  f: FunctionBuilder,
  d: Conv2dDims,
  at: Places,
  { rows, columns }: PaddedSize,
): void {
  const { i32, memory } = f;
  const n = f.local("n", "i32");
  const row = f.local("row", "i32");
  f.forRange(n, { to: d.N }, () => {
    f.forRange(row, { to: d.H }, () => {
      const source = f.let("source", i32.add(i32.mul(n, d.H), row));
      const target = f.let("target", i32.add(i32.mul(n, rows), row));
      memory.copy(
        i32.add(
          i32.mul(target, columns * d.C * FLOAT),
          at.padded + (d.padTop * columns + d.padLeft) * d.C * FLOAT,
        ),
        i32.add(i32.mul(source, d.W * d.C * FLOAT), at.image),
        d.W * d.C * FLOAT,
      );
    });
  });
}

/** `[KH][KW][C][O]` → `[O/16][KH·KW·C][16]` */
export function inSixteens(w: Float32Array, { KH, KW, C, O }: Conv2dDims): Float32Array {
  const taps = KH * KW * C;
  const packed = new Float32Array(w.length);
  for (let tap = 0; tap < taps; tap++)
    for (let o = 0; o < O; o++) packed[(o >> 4) * taps * 16 + tap * 16 + (o & 15)] = w[tap * O + o];
  return packed;
}

/** A tile of sums: pixels (or tiles of them) by vectors of four output channels. */
export interface Tile {
  readonly pixels: number;
  readonly vectors: number;
  /** Steps written out in one round of the loop. */
  readonly unroll: number;
  readonly relaxed: boolean;
}

/**
 * Writes: `sums[p][v] += Σ_k x[p][k] · w[k][v]` for `length` numbers k; `x` and `w` end after them.
 *
 * @param pixelStep bytes from one pixel's run to the next one's
 */
export function multiplyRun(
  f: FunctionBuilder,
  { pixels, vectors, unroll, relaxed }: Tile,
  registers: TileRegisters,
  x: Local<"i32">,
  w: Local<"i32">,
  length: number,
  pixelStep: number,
): void {
  const { i32, f32x4, v128 } = f;
  const { sums, values, weight, end } = registers;
  f.set(end, i32.add(x, length * FLOAT));
  f.loop((again) => {
    for (let k = 0; k < unroll; k++) {
      for (let p = 0; p < pixels; p++)
        f.set(values[p], v128.load32_splat(x, { offset: p * pixelStep + k * FLOAT }));
      for (let v = 0; v < vectors; v++) {
        f.set(weight, v128.load(w, { offset: (k * vectors + v) * VECTOR }));
        for (let p = 0; p < pixels; p++) {
          const sum = sums[p][v];
          f.set(
            sum,
            relaxed
              ? f32x4.relaxed_madd(values[p], weight, sum)
              : f32x4.add(sum, f32x4.mul(values[p], weight)),
          );
        }
      }
    }
    f.advance(w, unroll * vectors * VECTOR);
    f.advance(x, unroll * FLOAT);
    f.brIf(again, i32.ne(x, end));
  });
}

/** The locals of a tile, which the engine keeps in registers. */
export interface TileRegisters {
  readonly sums: Local<"v128">[][];
  readonly values: Local<"v128">[];
  readonly weight: Local<"v128">;
  readonly end: Local<"i32">;
}

/** Declares them. */
export function tileRegisters(f: FunctionBuilder, { pixels, vectors }: Tile): TileRegisters {
  return {
    sums: Array.from({ length: pixels }, (_, p) => f.locals(`sum${p}_`, "v128", vectors)),
    values: f.locals("value", "v128", pixels),
    weight: f.local("weight", "v128"),
    end: f.local("end", "i32"),
  };
}

/** `base + index · step` */
export function address(
  f: FunctionBuilder,
  base: number,
  index: Local<"i32"> | Value<"i32">,
  step: number,
): Value<"i32"> {
  return f.i32.add(f.i32.mul(index, step), base);
}

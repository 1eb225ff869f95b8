// Winograd's algorithms with SIMD, for any m: the transforms are written out from their matrices, a vector of four
// channels at a time; the products are the tile of attempt 12. See winograd.ts for the algorithm itself.
//
//   V [point][tile][C]   U [point][O/16][C][16]   M [point][tile][O]
//
// Tiles are taken in strips, so that V and M stay in the second-level cache between the three stages.

import type { Conv2dDims } from "@saunet/core/kernels";
import type { FunctionBuilder, Local } from "@saunet/wasm/asm";
import { type Attempt, threeTapsInBlocksOf } from "./attempt.ts";
import type { PaddedSize } from "./padded.ts";
import {
  address,
  FLOAT,
  inWebAssembly,
  multiplyRun,
  padImages,
  type Tile,
  tileRegisters,
  VECTOR,
} from "./wasm.ts";
import { transformFilter } from "./winograd.ts";

/** One algorithm by its matrices; `Bt` is square with `m + 2` rows, `At` has `m`. */
export interface WinogradMatrices {
  readonly m: number;
  readonly G: readonly (readonly number[])[];
  readonly Bt: readonly (readonly number[])[];
  readonly At: readonly (readonly number[])[];
}

const MOST_TILES = 24;
const TILE: Tile = { pixels: 2, vectors: 4, unroll: 1, relaxed: false };

interface Strips {
  /** Rows of tiles. */
  readonly down: number;
  readonly strips: number;
  /** Tiles of a strip, even. */
  readonly tiles: number;
}

function stripsOf({ OH, OW }: Conv2dDims, m: number): Strips {
  const across = Math.ceil(OW / m);
  const strips = Math.ceil(across / MOST_TILES);
  return { down: Math.ceil(OH / m), strips, tiles: 2 * Math.ceil(across / strips / 2) };
}

/** An attempt from the matrices of an algorithm. */
export function wasmWinograd(number: number, name: string, { m, G, Bt, At }: WinogradMatrices): Attempt {
  const points = m + 2;
  const size = (d: Conv2dDims): PaddedSize => {
    const { down, strips, tiles } = stripsOf(d, m);
    return { rows: down * m + 2, columns: strips * tiles * m + 2 };
  };
  /** Scratch: V, M, one tile between its two transforms, and a band of outputs with their overhang. */
  const partsOf = (d: Conv2dDims) => {
    const { strips, tiles } = stripsOf(d, m);
    const V = points * points * tiles * d.C * FLOAT;
    const M = points * points * tiles * d.O * FLOAT;
    const tile = points * points * VECTOR;
    const band = m * strips * tiles * m * d.O * FLOAT;
    return { V: 0, M: V, tile: V + M, band: V + M + tile, bytes: V + M + tile + band };
  };
  return inWebAssembly({
    number,
    name,
    serves: (d) => threeTapsInBlocksOf(16)(d) && d.C % 4 === 0,
    arrange: (w, d) => inSixteensByPoint(transformFilter(w, d, G), d, points * points),
    size,
    scratchBytes: (d) => partsOf(d).bytes,
    write: (f, d, at) => {
      const { i32, v128 } = f;
      const { rows, columns } = size(d);
      const { down, strips, tiles } = stripsOf(d, m);
      const parts = partsOf(d);
      const constants = declareConstants(f, [Bt, At]);
      padImages(f, d, at, { rows, columns });
      const names = ["n", "down", "strip", "tile", "channel", "point", "block", "line"];
      const [n, ty, strip, t, c, point, block, line] = names.map((local) => f.local(local, "i32"));
      const [from, to, x, w] = ["from", "to", "x", "w"].map((local) => f.local(local, "i32"));
      const scratch = f.let("scratch", i32.const(at.scratch + parts.tile));
      const values = f.locals("d", "v128", points);
      const registers = tileRegisters(f, TILE);
      const bias = f.local("bias", "v128");
      const pixelBytes = d.C * FLOAT;
      const outputBytes = d.O * FLOAT;
      const bandRow = strips * tiles * m * outputBytes;

      const inputTransforms = () =>
        f.forRange(t, { to: tiles }, () =>
          f.forRange(c, { to: pixelBytes, step: VECTOR }, () => {
            const corner = i32.mul(i32.add(i32.mul(n, rows), i32.mul(ty, m)), columns);
            const pixel = i32.add(corner, i32.mul(i32.add(i32.mul(strip, tiles), t), m));
            f.set(from, address(f, at.padded, pixel, pixelBytes));
            f.set(from, i32.add(from, c));
            f.set(to, i32.add(address(f, at.scratch + parts.V, t, pixelBytes), c));
            // Down the columns into the scratch tile, then along its rows into V.
            for (let j = 0; j < points; j++)
              transform(f, Bt, constants, values, {
                load: (i) => v128.load(from, { offset: (i * columns + j) * pixelBytes }),
                store: (i, value) => v128.store(scratch, value, { offset: (i * points + j) * VECTOR }),
              });
            for (let i = 0; i < points; i++)
              transform(f, Bt, constants, values, {
                load: (j) => v128.load(scratch, { offset: (i * points + j) * VECTOR }),
                store: (j, value) => v128.store(to, value, { offset: (i * points + j) * tiles * pixelBytes }),
              });
          }),
        );

      const products = () =>
        f.forRange(point, { to: points * points }, () =>
          f.forRange(block, { to: d.O / 16 }, () =>
            f.forRange(t, { to: tiles, step: TILE.pixels }, () => {
              const tile = f.let("tileOfPoint", i32.add(i32.mul(point, tiles), t));
              f.set(x, address(f, at.scratch + parts.V, tile, pixelBytes));
              f.set(w, address(f, at.filter, i32.add(i32.mul(point, d.O / 16), block), 16 * pixelBytes));
              const zero = f.let("zero", v128.const("f32x4", 0));
              for (const sum of registers.sums.flat()) f.set(sum, zero);
              multiplyRun(f, TILE, registers, x, w, d.C, pixelBytes);
              f.set(to, address(f, at.scratch + parts.M, tile, outputBytes));
              f.set(to, i32.add(to, i32.mul(block, 16 * FLOAT)));
              registers.sums.forEach((sums, p) => {
                sums.forEach((sum, v) => {
                  v128.store(to, sum, { offset: p * outputBytes + v * VECTOR });
                });
              });
            }),
          ),
        );

      const outputTransforms = () =>
        f.forRange(t, { to: tiles }, () =>
          f.forRange(c, { to: outputBytes, step: VECTOR }, () => {
            f.set(from, i32.add(address(f, at.scratch + parts.M, t, outputBytes), c));
            const column = i32.mul(i32.add(i32.mul(strip, tiles), t), m);
            f.set(to, i32.add(address(f, at.scratch + parts.band, column, outputBytes), c));
            f.set(bias, v128.load(c, { offset: at.bias }));
            for (let j = 0; j < points; j++)
              transform(f, At, constants, values, {
                load: (i) => v128.load(from, { offset: (i * points + j) * tiles * outputBytes }),
                store: (i, value) => v128.store(scratch, value, { offset: (i * points + j) * VECTOR }),
              });
            for (let i = 0; i < m; i++)
              transform(f, At, constants, values, {
                load: (j) => v128.load(scratch, { offset: (i * points + j) * VECTOR }),
                store: (j, value) =>
                  v128.store(to, f.f32x4.add(value, bias), { offset: i * bandRow + j * outputBytes }),
              });
          }),
        );

      f.forRange(n, { to: d.N }, () =>
        f.forRange(ty, { to: down }, () => {
          f.forRange(strip, { to: strips }, () => {
            inputTransforms();
            products();
            outputTransforms();
          });
          // The rows of the band that are part of the output, without their overhang.
          f.forRange(line, { to: m }, () => {
            const row = f.let("outRow", i32.add(i32.mul(ty, m), line));
            f.if(i32.lt_s(row, d.OH), () => {
              f.set(to, address(f, at.output, i32.add(i32.mul(n, d.OH), row), d.OW * outputBytes));
              f.memory.copy(to, address(f, at.scratch + parts.band, line, bandRow), d.OW * outputBytes);
            });
          });
        }),
      );
    },
  });
}

type Constants = ReadonlyMap<number, Local<"v128">>;

/** The entries of the matrices that are neither 0 nor ±1, each in a variable of its own. */
function declareConstants(f: FunctionBuilder, matrices: readonly WinogradMatrices["Bt"][]): Constants {
  const entries = matrices.flat(2).map(Math.abs);
  const distinct = [...new Set(entries)].filter((value) => value !== 0 && value !== 1);
  return new Map(distinct.map((value, i) => [value, f.let(`constant${i}`, f.v128.const("f32x4", value))]));
}

type V128 = ReturnType<FunctionBuilder["f32x4"]["add"]>;

/** Writes: load all numbers, then store each row of the matrix times them. */
function transform(
  f: FunctionBuilder,
  matrix: readonly (readonly number[])[],
  constants: Constants,
  values: readonly Local<"v128">[],
  { load, store }: { load: (i: number) => V128; store: (i: number, value: Local<"v128">) => void },
): void {
  const { f32x4 } = f;
  matrix[0].forEach((_, i) => {
    f.set(values[i], load(i));
  });
  const sum = f.local("sum", "v128");
  matrix.forEach((row, to) => {
    // A positive entry first, so that nothing has to be negated.
    const terms = row.map((entry, i) => ({ entry, value: values[i] })).filter(({ entry }) => entry !== 0);
    terms.sort((a, b) => Math.sign(b.entry) - Math.sign(a.entry));
    terms.forEach(({ entry, value }, i) => {
      const constant = constants.get(Math.abs(entry));
      const scaled = () => (constant === undefined ? f.get(value) : f32x4.mul(value, constant));
      if (i === 0) f.set(sum, scaled());
      else if (entry > 0) f.set(sum, f32x4.add(sum, scaled()));
      else f.set(sum, f32x4.sub(sum, scaled()));
    });
    store(to, sum);
  });
}

/** `[point][O/4][C][4]` in doubles → `[point][O/16][C][16]` in floats. */
function inSixteensByPoint(U: Float64Array, { C, O }: Conv2dDims, points: number): Float32Array {
  const packed = new Float32Array(U.length);
  for (let point = 0; point < points; point++)
    for (let o = 0; o < O; o++)
      for (let c = 0; c < C; c++) {
        packed[point * C * O + (o >> 4) * C * 16 + c * 16 + (o & 15)] =
          U[point * C * O + (o >> 2) * C * 4 + c * 4 + (o & 3)];
      }
  return packed;
}

// 12. A register tile with SIMD: two pixels by sixteen channels.
//
// Attempt 6 with vectors. Eight sums, two inputs, a weight and a product make twelve of the sixteen vector registers;
// each weight serves two pixels, each input four vectors. The loop has one k a round: V8 11 puts all loads of a loop
// body before its arithmetic, so that a longer body runs out of registers (see attempt 13).
//
// Measured (`pnpm bench lab`, Node 20.20, AMD EPYC): 2.6 to 5.2 times faster than attempt 11, at 85 to 89 %
// of what the core can do in registers. From here on only fewer products help.

import type { Conv2dDims } from "@saunet/core/kernels";
import type { Attempt } from "./attempt.ts";
import { paddedSize } from "./padded.ts";
import {
  address,
  FLOAT,
  inSixteens,
  inWebAssembly,
  multiplyRun,
  padImages,
  type Tile,
  tileRegisters,
  VECTOR,
} from "./wasm.ts";

const size = (d: Conv2dDims) => paddedSize(d, 1);

/** A direct convolution by tiles; three attempts differ in them alone. */
export function directTile(
  number: number,
  name: string,
  tile: Tile,
  serves: (d: Conv2dDims) => boolean,
): Attempt {
  const { pixels, vectors } = tile;
  return inWebAssembly({
    number,
    name,
    code: tile.relaxed ? "fused" : "simd",
    serves: (d) => d.O % 16 === 0 && d.dilationW === 1 && serves(d),
    arrange: inSixteens,
    size,
    write: (f, d, at) => {
      const { i32, v128 } = f;
      const { rows, columns } = size(d);
      padImages(f, d, at, { rows, columns });
      const [n, oy, ox, block, ky] = ["n", "oy", "ox", "block", "ky"].map((local) => f.local(local, "i32"));
      const [x, w, y, corner] = ["x", "w", "y", "corner"].map((local) => f.local(local, "i32"));
      const registers = tileRegisters(f, tile);
      const run = d.KW * d.C;
      const pixelStep = d.strideW * d.C * FLOAT;
      f.forRange(n, { to: d.N }, () =>
        // A tile may run past the end of its row: the next row, computed later, writes over that.
        f.forRange(oy, { to: d.OH }, () =>
          f.forRange(block, { to: d.O / 16 }, () =>
            f.forRange(ox, { to: d.OW, step: pixels }, () => {
              const row = i32.add(i32.mul(n, rows), i32.mul(oy, d.strideH));
              const pixel = i32.add(i32.mul(row, columns), i32.mul(ox, d.strideW));
              f.set(corner, address(f, at.padded, pixel, d.C * FLOAT));
              f.set(w, address(f, at.filter, block, d.KH * run * 16 * FLOAT));
              for (let v = 0; v < vectors; v++) {
                const bias = v128.load(i32.mul(block, 16 * FLOAT), { offset: at.bias + v * VECTOR });
                f.set(registers.sums[0][v], bias);
                for (let p = 1; p < pixels; p++) f.set(registers.sums[p][v], registers.sums[0][v]);
              }
              f.forRange(ky, { to: d.KH }, () => {
                f.set(x, i32.add(corner, i32.mul(ky, d.dilationH * columns * d.C * FLOAT)));
                multiplyRun(f, tile, registers, x, w, run, pixelStep);
              });
              const outRow = i32.add(i32.mul(n, d.OH), oy);
              f.set(y, address(f, at.output, i32.add(i32.mul(outRow, d.OW), ox), d.O * FLOAT));
              f.set(y, i32.add(y, i32.mul(block, 16 * FLOAT)));
              registers.sums.forEach((sums, p) => {
                sums.forEach((sum, v) => {
                  v128.store(y, sum, { offset: p * d.O * FLOAT + v * VECTOR });
                });
              });
            }),
          ),
        ),
      );
    },
  });
}

export const wasmTile = directTile(
  12,
  "wasm 2x16 tile",
  { pixels: 2, vectors: 4, unroll: 1, relaxed: false },
  () => true,
);

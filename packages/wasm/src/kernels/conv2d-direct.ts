// conv2d.forward with every product formed.
//
//   for each row of outputs, each block of 16 output channels, each pair of pixels:
//     sums[p][v] = bias[v]
//     for each row of taps that lies in the image:
//       for k in its KW · C inputs, which lie side by side:
//         sums[p][v] += x[p][k] · w[k][v]
//     y[p][v] = sums[p][v]
//
//   x [N,H,W,C]   w [KH,KW,C,O]   b [O], optional   y [N,OH,OW,O]      v counts vectors of four output channels
//
// The sums stay in registers. Engines load all that a round needs before they multiply, so P pixels x V vectors want
// P·V sums, P inputs, V weights and one product in 15 registers: 2 x 4, 2 x 3, 4 x 2 or 6 x 1. For the same reason a
// round is one k: unrolled by hand, it would want the loads of all its steps at once. (Engines unroll it later.)
// The tiles follow from that count of registers.
//
// Weights are packed in the order in which the rounds read them: for each block [k][v][4], and behind the last k the
// bias. Next to the left and right border pixels go one by one, over the taps that lie in the image.
//
// Any stride and padding; no dilation.

import { type Conv2dDims, conv2dForward } from "@saunet/core";
import type { FunctionBuilder, Local, Value } from "../asm/index.ts";
import { generator, type PhaseLocals } from "../plan.ts";
import { multiplyAdd } from "./multiply-add.ts";
import { FLOAT, VECTOR } from "./stream.ts";

type I32 = Local<"i32">;
type Locals = PhaseLocals<Parameters<typeof conv2dForward>[0]>;

/** Blocks of output channels that share their code: `count` of them, the first at channel `first`. */
interface Group {
  readonly first: number;
  readonly count: number;
  readonly channels: number;
  readonly vectors: number;
  /** Pixels that are computed together. */
  readonly pixels: number;
}

const BLOCK = 16;

/** Whole blocks, then the channels that are left. */
function groupsOf(O: number): Group[] {
  const whole = Math.floor(O / BLOCK);
  const parts = [
    { first: 0, count: whole, channels: BLOCK },
    { first: whole * BLOCK, count: 1, channels: O % BLOCK },
  ];
  return parts
    .filter(({ count, channels }) => count * channels > 0)
    .map((part) => {
      const vectors = Math.ceil(part.channels / 4);
      return { ...part, vectors, pixels: Math.floor((14 - vectors) / (vectors + 1)) };
    });
}

/** What the code is made for. */
interface Shape extends Conv2dDims {
  readonly groups: readonly Group[];
  /** Inputs of one output: the length of a column of weights. */
  readonly K: number;
  /** Rows of a packed block: K, and the bias if there is one. */
  readonly packedRows: number;
  readonly relaxed: boolean;
}

/** Where in the packed weights a group of blocks begins, in bytes. */
const packedStart = ({ packedRows }: Shape, { first }: Group): number => first * packedRows * FLOAT;

export const conv2dDirect = generator(conv2dForward, (d, { b }, { relaxed }) => {
  if (d.dilationH !== 1 || d.dilationW !== 1) return undefined;
  const groups = groupsOf(d.O);
  const K = d.KH * d.KW * d.C;
  const shape = { ...d, groups, K, packedRows: K + (b === undefined ? 0 : 1), relaxed };
  const [{ pixels, vectors }] = groups;
  const name = `conv2d_f32_${pixels}x${4 * vectors}_${relaxed ? "relaxed" : "simd"}`;
  return {
    name,
    key: `${name} direct ${JSON.stringify({ ...shape, N: undefined, flops: undefined })}`,
    sharedBytes: shape.packedRows * Math.ceil(d.O / 4) * VECTOR,
    phases: [
      {
        items: shape.packedRows,
        reads: b === undefined ? ["w"] : ["w", "b"],
        write: (f, locals) => writePacking(f, locals, shape),
      },
      { items: d.N * d.OH, write: (f, locals) => writeRows(f, locals, shape) },
    ],
  };
});

/** Packs the rows `from` … `to - 1` of the weights; row K is the bias. */
function writePacking(f: FunctionBuilder, { from, to, shared, arrays }: Locals, shape: Shape): void {
  const { i32, v128 } = f;
  const { O, K, packedRows, groups } = shape;
  const k = f.local("k", "i32");
  const source = f.local("source", "i32");
  const rest = f.local("rest", "v128");
  f.forRange(k, { from, to }, () => {
    // source = k < K ? &w[k][0] : &b[0]
    f.set(source, i32.add(arrays.w, i32.mul(k, O * FLOAT)));
    if (packedRows > K) f.set(source, f.select(source, arrays.b, i32.lt_s(k, K)));
    for (const group of groups) {
      const { count, channels, vectors } = group;
      const start = i32.add(shared, packedStart(shape, group));
      const target = f.let("target", i32.add(start, i32.mul(k, vectors * VECTOR)));
      repeat(f, "block", count, () => {
        for (let v = 0; 4 * v + 4 <= channels; v++) {
          v128.store(target, v128.load(source, { offset: v * VECTOR, align: FLOAT }), { offset: v * VECTOR });
        }
        if (channels % 4 > 0) {
          const offset = (vectors - 1) * VECTOR;
          f.set(rest, v128.load32_zero(source, { offset }));
          for (let lane = 1; lane < channels % 4; lane++) {
            f.set(rest, v128.load32_lane(source, rest, lane, { offset: offset + lane * FLOAT }));
          }
          v128.store(target, rest, { offset });
        }
        f.advance(source, channels * FLOAT);
        f.advance(target, packedRows * vectors * VECTOR);
      });
    }
  });
}

/** Computes the rows `from` … `to - 1` of the outputs of all images. */
function writeRows(f: FunctionBuilder, { from, to, shared, arrays }: Locals, shape: Shape): void {
  const { i32 } = f;
  const { H, W, C, O, KH, OH, OW, strideH, padTop, padLeft, packedRows, groups } = shape;
  const row = f.local("row", "i32");
  f.forRange(row, { from, to }, () => {
    // Row oy of an image reads its rows iy … iy + KH - 1, of which the taps firstTap … firstTap + taps - 1 exist.
    const image = f.let("image", i32.div_u(row, OH));
    const iy = f.let("iy", i32.sub(i32.mul(i32.rem_u(row, OH), strideH), padTop));
    const firstTap = f.let("firstTap", atLeast(f, i32.sub(0, iy), 0));
    const taps = f.let("taps", i32.sub(atMost(f, i32.sub(H, iy), KH), firstTap));
    // Column -padLeft of the first of them.
    const pixel = i32.sub(i32.mul(i32.add(i32.add(i32.mul(image, H), iy), firstTap), W), padLeft);
    const x = f.let("x", i32.add(i32.mul(pixel, C * FLOAT), arrays.x));
    const y = f.let("y", i32.add(arrays.y, i32.mul(row, OW * O * FLOAT)));
    const w = f.local("w", "i32");
    for (const group of groups) {
      f.set(w, i32.add(shared, packedStart(shape, group)));
      repeat(f, "block", group.count, () => {
        writeRow(f, { x, y, w, firstTap, taps }, group, shape);
        f.advance(y, group.channels * FLOAT);
        f.advance(w, packedRows * group.vectors * VECTOR);
      });
    }
  });
}

interface RowLocals {
  /** What the row's first pixel reads: the first row of taps in the image, from its first tap on. */
  readonly x: I32;
  /** The block's channels of the row's first pixel. */
  readonly y: I32;
  /** The block's packed weights. */
  readonly w: I32;
  /** The rows of taps that lie in the image. */
  readonly firstTap: I32;
  readonly taps: I32;
}

/** Computes one block of channels of one row. */
function writeRow(f: FunctionBuilder, row: RowLocals, group: Group, shape: Shape): void {
  const { i32 } = f;
  const { W, C, O, KW, OW, strideW, padLeft } = shape;
  const { vectors, pixels } = group;
  // Pixels from `left` to before `right` have all their taps between the borders.
  const left = Math.ceil(padLeft / strideW);
  const right = Math.min(OW, Math.floor((W - KW + padLeft) / strideW) + 1);
  const sums = Array.from({ length: pixels }, (_, p) => f.locals(`sum${p}_`, "v128", vectors));
  const tile = tileWriter(f, row, group, shape);
  const [x, y] = [f.let("xTile", row.x), f.let("yTile", row.y)];
  const ox = f.local("ox", "i32");

  const step = (count: number) => {
    f.advance(x, count * strideW * C * FLOAT);
    f.advance(y, count * O * FLOAT);
    f.advance(ox, count);
  };
  const several = () => {
    tile(sums, x, y, 0, KW);
    step(pixels);
  };
  const one = () => {
    // Of the pixel's columns ix … ix + KW - 1 those of the taps first … first + count - 1 lie in the image.
    const ix = f.let("ix", i32.sub(i32.mul(ox, strideW), padLeft));
    const first = f.let("first", atLeast(f, i32.sub(0, ix), 0));
    const count = f.let("count", atLeast(f, i32.sub(atMost(f, i32.sub(W, ix), KW), first), 0));
    tile(sums.slice(0, 1), x, y, first, count);
    step(1);
  };

  f.set(ox, 0);
  f.loop((again) => {
    if (right - left < pixels) one();
    else f.if(i32.le_u(i32.sub(ox, left), right - left - pixels), several, one);
    f.brIf(again, i32.lt_s(ox, OW));
  });
}

/** What writes the code for one tile: pixels at `x` and `y`, over `columns` columns of taps from `first` on. */
function tileWriter(f: FunctionBuilder, row: RowLocals, group: Group, shape: Shape) {
  const { i32, v128 } = f;
  const { W, C, O, K, KW, strideW, packedRows, relaxed } = shape;
  const { vectors, channels, pixels } = group;
  const ky = f.local("ky", "i32");
  const xs = f.locals("x", "v128", pixels);
  const weight = f.local("weight", "v128");
  const madd = multiplyAdd(f, relaxed);

  return (
    sums: readonly Local<"v128">[][],
    x: I32,
    y: I32,
    first: I32 | number,
    columns: I32 | number,
  ): void => {
    for (const pixel of sums) {
      pixel.forEach((sum, v) => {
        const bias = { offset: (K * vectors + v) * VECTOR };
        f.set(sum, packedRows > K ? v128.load(row.w, bias) : v128.const("f32x4", 0));
      });
    }
    f.if(columns, () => {
      const run = f.let("run", i32.mul(columns, C * FLOAT));
      const xk = f.let("xk", i32.add(x, i32.mul(first, C * FLOAT)));
      const tap = i32.add(i32.mul(row.firstTap, KW), first);
      const wk = f.let("wk", i32.add(i32.mul(tap, C * vectors * VECTOR), row.w));
      f.forRange(ky, { to: row.taps }, () => {
        const end = f.let("end", i32.add(xk, run));
        f.loop((again) => {
          sums.forEach((_, p) => {
            f.set(xs[p], v128.load32_splat(xk, { offset: p * strideW * C * FLOAT }));
          });
          for (let v = 0; v < vectors; v++) {
            f.set(weight, v128.load(wk, { offset: v * VECTOR }));
            sums.forEach((pixel, p) => {
              f.set(pixel[v], madd(pixel[v], xs[p], weight));
            });
          }
          f.advance(wk, vectors * VECTOR);
          f.advance(xk, FLOAT);
          f.brIf(again, i32.ne(xk, end));
        });
        // To the next row of the image, and of the taps.
        f.advance(xk, i32.sub(W * C * FLOAT, run));
        f.advance(wk, i32.mul(i32.sub(KW * C * FLOAT, run), 4 * vectors));
      });
    });
    sums.forEach((pixel, p) => {
      pixel.forEach((sum, v) => {
        const offset = p * O * FLOAT + v * VECTOR;
        const lanes = channels - 4 * v;
        if (lanes >= 4) v128.store(y, sum, { offset, align: FLOAT });
        else
          for (let lane = 0; lane < lanes; lane++)
            v128.store32_lane(y, sum, lane, { offset: offset + lane * FLOAT });
      });
    });
  };
}

/** `body` so many times. */
function repeat(f: FunctionBuilder, name: string, count: number, body: () => void): void {
  if (count === 1) body();
  else f.forRange(f.local(name, "i32"), { to: count }, body);
}

/** The larger of a value and a bound. */
function atLeast(f: FunctionBuilder, value: Value<"i32">, bound: number): Value<"i32"> {
  const given = f.let("given", value);
  return f.select(given, bound, f.i32.gt_s(given, bound));
}

/** The smaller of a value and a bound. */
function atMost(f: FunctionBuilder, value: Value<"i32">, bound: number): Value<"i32"> {
  const given = f.let("given", value);
  return f.select(given, bound, f.i32.lt_s(given, bound));
}

// Matrix products of few rows: little is done with each element of b, so b is read once, in the order in which it lies.
//
//   b [k][n], an item a strip of columns:
//     for each chunk of k, some terms at a time:          sums[i][strip] += Σ_t a[i][t] · b[t][strip]
//   b [n][k], an item some rows of b:
//     for each chunk of k, some of these rows at a time:  y[i][j] += Σ_t a[i][t] · b[j][t]      lanes lie along t
//
// Sums of a strip lie in scratch of the thread's own that stays in the first cache. A chunk's sums are added to y when it
// ends, so that errors grow as in matmul.ts. A single column counts as a row, with a in the place of b.

import type { MatmulDims } from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, type I32, VECTOR } from "../asm/index.ts";
import type { Draft, Phase } from "../plan.ts";
import { type MatmulArrays, matrixAt } from "./matmul-packing.ts";
import { MEMORY_GRAIN } from "./stream.ts";

/**
 * So many rows at most. With more, tiles on packed panels are faster: by 1024x1024, 12 rows take as long either way where
 * b lies [k][n], and 32 where it lies [n][k].
 */
const MOST_ROWS = 8;
const MOST_ROWS_TURNED = 16;
/** Narrower strips have more tail than vectors. */
const FEWEST_COLUMNS = 16;
/** Rows that share what is loaded of b, and how many terms or rows of b go with so many: what fits the registers. */
const GROUP = 4;
const TOGETHER = [0, 6, 4, 3, 2];
/** Terms of a chunk, a whole number of all those; where lanes lie along them, each has a fourth. */
const TERMS = 240;
const TURNED_TERMS = 1024;
/** Sums of a strip take 8 KB. Of narrow strips b is read in pieces too short to be read ahead. */
const STRIP = 2048;
const NARROW_STRIP = 256;
/** Rows of b in an item are a multiple of this, for the same reason. */
const ROW_STEP = 12;
/** Strips enough to keep threads busy, and products that are worth one of them; products of rows of b. */
const ENOUGH_STRIPS = 8;
const STRIP_PRODUCTS = 2 ** 20;
const ROWS_PRODUCTS = 2 ** 16;

/** What the code is made for. */
interface Code {
  readonly d: MatmulDims;
  readonly relaxed: boolean;
  /** The factors that have the rows and the columns of the product, and how many. */
  readonly factors: readonly ["a", "b"] | readonly ["b", "a"];
  readonly m: number;
  readonly n: number;
  /** Bytes from row to row and from term to term of the factor with the rows. */
  readonly row: number;
  readonly term: number;
  /** Groups of rows. */
  readonly groups: readonly { readonly first: number; readonly rows: number }[];
}

/** A plan for products of few rows, or of one column; `undefined` for others. */
export function planFewRows(d: MatmulDims, relaxed: boolean): Draft<MatmulArrays> | undefined {
  const isColumn = d.n === 1;
  const [m, n] = isColumn ? [1, d.m] : [d.m, d.n];
  const turned = isColumn ? !d.transposeA : d.transposeB;
  const across = d.transposeA && m > 1;
  const suits = turned ? m <= MOST_ROWS_TURNED && !across : m <= MOST_ROWS && n >= FEWEST_COLUMNS;
  if (!suits) return undefined;
  const groups = Math.ceil(m / GROUP);
  const begin = (g: number) => Math.floor((m * g) / groups);
  const code: Code = {
    ...{ d, relaxed, m, n },
    factors: isColumn ? ["b", "a"] : ["a", "b"],
    row: across ? FLOAT : d.k * FLOAT,
    term: across ? m * FLOAT : FLOAT,
    groups: Array.from({ length: groups }, (_, g) => ({ first: begin(g), rows: begin(g + 1) - begin(g) })),
  };
  const rows = Math.ceil(m / groups);
  const arithmetic = relaxed ? "relaxed" : "simd";
  if (turned)
    return { name: `matmul_f32_dots_${rows}x${TOGETHER[rows]}_${arithmetic}`, phases: [multiplyRows(code)] };
  const columns = stripOf(code, rows);
  return {
    name: `matmul_f32_strips_${rows}x${TOGETHER[rows]}_${arithmetic}`,
    phases: [multiplyStrips(code, columns)],
    ownBytes: rows * columns * FLOAT,
  };
}

/** Columns of a strip. */
function stripOf({ d: { batch, k }, m, n }: Code, rows: number): number {
  let columns = Math.min(Math.floor(STRIP / rows / 4), Math.ceil(n / 4)) * 4;
  const isWorthHalving = () => columns >= 2 * NARROW_STRIP && columns * m * k > STRIP_PRODUCTS;
  while (batch * Math.ceil(n / columns) < ENOUGH_STRIPS && isWorthHalving())
    columns = Math.ceil(columns / 8) * 4;
  return columns;
}

/** Where the factors of an item lie, and its part of y: `count` columns, and what is theirs of b. */
interface Item {
  readonly a: I32;
  readonly b: I32;
  readonly y: I32;
  readonly count: I32;
  readonly own: I32;
}

/** The phase whose items are so many columns of y each; `column` is the bytes from one to the next in b. */
function phaseOf(
  { d, m, n, factors: [few, many] }: Code,
  { columns, column }: { columns: number; column: number },
  prepare: (f: FunctionBuilder, item: Item) => () => void,
): Phase<MatmulArrays> {
  const parts = Math.ceil(n / columns);
  return {
    items: d.batch * parts,
    grain: Math.ceil(MEMORY_GRAIN / (Math.min(columns, n) * d.k)),
    write: (f, { from, to, own, arrays }) => {
      const { item, matrix, first, a, b, y, count } = f.declare("i32");
      const multiply = prepare(f, { a, b, y, count, own });
      f.forRange(item, { from, to }, () => {
        f.unravel(item, [matrix, first], [parts]);
        f.set(first, f.i32.mul(first, columns));
        f.cut(count, first, n, columns);
        f.set(y, f.at(arrays.y, f.at(first, matrix, m * n), FLOAT));
        f.set(a, matrixAt(f, matrix, d, few, arrays[few]));
        f.set(b, matrixAt(f, matrix, d, many, arrays[many]));
        f.advance(b, f.i32.mul(first, column));
        multiply();
      });
    },
  };
}

/** Writes a loop over `left` floats at each of some pointers, in vectors; `rest` of them are no whole vector at its end. */
function inVectors(
  f: FunctionBuilder,
  left: I32,
  pointers: readonly I32[],
  rest: number,
  body: (lanes: number) => void,
): void {
  f.whileAtLeast(left, 4, () => {
    body(4);
    for (const pointer of pointers) f.advance(pointer, VECTOR);
  });
  if (rest > 0) f.if(f.get(left), () => body(rest));
}

/** The phase that multiplies where b lies [k][n]. */
function multiplyStrips(code: Code, columns: number): Phase<MatmulArrays> {
  const { d, relaxed, n, row, term, groups } = code;
  const { k } = d;
  const pitch = columns * FLOAT;
  return phaseOf(code, { columns, column: FLOAT }, (f, { a, b, y, count, own }) => {
    const { i32, v128, f32x4 } = f;
    const { t, terms, x, w, from, sums, left, out } = f.declare("i32");
    const sum = f.local("sum", "v128");
    const madd = f.multiplyAdd(relaxed);
    const begin = (pointer: I32, at: I32) => {
      f.set(pointer, at);
      f.set(sums, own);
      f.set(left, count);
    };
    /** Adds products of so many terms to the sums of so many rows. */
    const addTerms = (rows: number, together: number) => {
      const as = f.locals("a", "v128", rows * together);
      const bs = f.locals("b", "v128", together);
      f.setEach(as, (i) =>
        v128.load32_splat(x, { offset: Math.floor(i / together) * row + (i % together) * term }),
      );
      begin(from, w);
      inVectors(f, left, [from, sums], n % 4, (lanes) => {
        f.setEach(bs, (j) => f.loadLanes(from, lanes, j * n * FLOAT));
        for (let p = 0; p < rows; p++) {
          f.set(sum, v128.load(sums, { offset: p * pitch }));
          bs.forEach((factor, j) => {
            f.set(sum, madd(sum, as[p * together + j], factor));
          });
          v128.store(sums, sum, { offset: p * pitch });
        }
      });
      f.advance(x, together * term);
      f.advance(w, together * n * FLOAT);
    };
    const clear = (rows: number) => {
      f.set(sum, v128.const("f32x4", 0));
      f.set(sums, own);
      f.forRange(left, { to: rows * columns, step: 4 }, () => {
        v128.store(sums, sum);
        f.advance(sums, VECTOR);
      });
    };
    /** Adds the sums of some row to y; those of the first chunk are written. */
    const addToY = (p: number, first: number) => {
      begin(out, y);
      f.advance(out, (first + p) * n * FLOAT);
      inVectors(f, left, [out, sums], n % 4, (lanes) => {
        f.set(sum, v128.load(sums, { offset: p * pitch }));
        if (k > TERMS) f.if(f.get(t), () => f.set(sum, f32x4.add(f.loadLanes(out, lanes), sum)));
        f.storeLanes(out, sum, lanes, 0);
      });
    };
    return () =>
      f.forRange(t, { to: k, step: TERMS }, () => {
        for (const { first, rows } of groups) {
          const together = TOGETHER[rows];
          clear(rows);
          f.set(x, f.at(i32.add(a, first * row), t, term));
          f.set(w, f.at(b, t, n * FLOAT));
          f.cut(terms, t, k, TERMS);
          if (k >= together) f.whileAtLeast(terms, together, () => addTerms(rows, together));
          if (k % together > 0) f.if(f.get(terms), () => addTerms(rows, k % together));
          for (let p = 0; p < rows; p++) addToY(p, first);
        }
      });
  });
}

/** The phase that multiplies where b lies [n][k]. */
function multiplyRows(code: Code): Phase<MatmulArrays> {
  const { d, relaxed, m, n, groups } = code;
  const { k } = d;
  const columns = Math.ceil(Math.max(ROWS_PRODUCTS / (k * m), 1) / ROW_STEP) * ROW_STEP;
  return phaseOf(code, { columns, column: k * FLOAT }, (f, { a, b, y, count }) => {
    const { i32, v128, f32x4 } = f;
    const { t, rowsLeft, x, w, line, left, out } = f.declare("i32");
    const factor = f.local("factor", "v128");
    const madd = f.multiplyAdd(relaxed);
    /** The products of so many rows of a, from `first` on, and of b. */
    const multiply = (first: number, rows: number, together: number) => {
      const as = f.locals("a", "v128", rows);
      const sums = Array.from({ length: together }, (_, j) => f.locals(`sum${j}_`, "v128", rows));
      for (const sum of sums.flat()) f.set(sum, v128.const("f32x4", 0));
      f.set(x, f.at(i32.add(a, first * k * FLOAT), t, FLOAT));
      f.set(w, line);
      f.cut(left, t, k, TURNED_TERMS);
      inVectors(f, left, [x, w], k % 4, (lanes) => {
        f.setEach(as, (p) => f.loadLanes(x, lanes, p * k * FLOAT));
        sums.forEach((own, j) => {
          f.set(factor, f.loadLanes(w, lanes, j * k * FLOAT));
          f.setEach(own, (p) => madd(own[p], as[p], factor));
        });
      });
      sums.forEach((own, j) => {
        own.forEach((sum, p) => {
          const offset = (p * n + j) * FLOAT;
          f.acrossLanes("add", sum);
          if (k > TURNED_TERMS)
            f.if(f.get(t), () => f.set(sum, f32x4.add(v128.load32_zero(out, { offset }), sum)));
          v128.store32_lane(out, sum, 0, { offset });
        });
      });
      f.advance(line, together * k * FLOAT);
      f.advance(out, together * FLOAT);
    };
    return () =>
      f.forRange(t, { to: k, step: TURNED_TERMS }, () => {
        for (const { first, rows } of groups) {
          const together = TOGETHER[rows];
          f.set(line, f.at(b, t, FLOAT));
          f.set(out, i32.add(y, first * n * FLOAT));
          f.set(rowsLeft, count);
          if (n >= together) f.whileAtLeast(rowsLeft, together, () => multiply(first, rows, together));
          if (n % together > 0) f.if(f.get(rowsLeft), () => multiply(first, rows, n % together));
        }
      });
  });
}

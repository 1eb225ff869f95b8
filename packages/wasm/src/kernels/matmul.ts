// Matrix products, one or many.
//
//   b into panels of 16 columns, a out of its transposed form (matmul-packing.ts); small factors stay as they lie
//   for each item, some rows and some panels of one product:
//     for each chunk of k:
//       for each panel, whose part of the chunk stays in the first cache:
//         for each pair of rows:   y[2][16] += a[2][chunk] · panel[chunk][16]     in registers
//
// The item's part of a stays in the second cache while the panels pass. Each chunk has a sum of its own that is then added to
// y, so that an error grows with the length of a chunk and the number of chunks, and not with their product. Few rows go
// another way (matmul-rows.ts).

import { type MatmulDims, matmulForward } from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, type I32 } from "../asm/index.ts";
import { generator, type Phase } from "../plan.ts";
import { panelRow, panelsBytes } from "./conv/panels.ts";
import { BLOCK, type Blocks, blocksOf, registerTile, rowsOf, type Tile } from "./conv/register-tile.ts";
import { type MatmulArrays, matricesOf, matrixAt, packColumns, packRows } from "./matmul-packing.ts";
import { planFewRows } from "./matmul-rows.ts";

/** Calls with fewer products stay with the portable form. */
const SMALLEST_PRODUCTS = 4096;
/** A factor of so many elements lies in the first cache however it is read. */
const FEW_ELEMENTS = 4096;
/** So few rows of a transposed a lie close together as they are. */
const FEW_ROWS = 8;
/** Terms of a chunk: its part of a panel takes 16 KB. */
const TERMS = 256;
/** Rows and columns of an item at most: its part of a chunk of a takes 256 KB. */
const ROWS = 256;
const COLUMNS = 256;
/** Multiples of this are whole tiles of two, four or six rows. */
const ROW_STEP = 12;
/** Items enough to keep threads busy, and products that are worth one of them. */
const ENOUGH_ITEMS = 24;
const ITEM_PRODUCTS = 2 ** 18;

/** How a factor is read. */
interface Reading {
  /** Where it begins in the shared memory; `undefined` where it stays in its array. */
  readonly packedAt: number | undefined;
  /** Bytes of one matrix. */
  readonly matrix: number;
}

/** What the code is made for. */
interface Code {
  readonly d: MatmulDims;
  readonly relaxed: boolean;
  readonly a: Reading & { readonly row: number; readonly term: number };
  readonly b: Reading;
  /** Rows and whole panels of an item. */
  readonly rows: number;
  readonly panels: number;
}

export const matmul = generator(matmulForward, (d, _lengths, { relaxed }) => {
  const { batch, m, n, k, transposeA, transposeB } = d;
  if (batch * m * n * k < SMALLEST_PRODUCTS) return undefined;
  const fewRows = planFewRows(d, relaxed);
  if (fewRows !== undefined) return fewRows;
  const packsA = transposeA && m > FEW_ROWS && m * k > FEW_ELEMENTS;
  // The last vector of a row that is not whole would reach into the next row, and at last past the array.
  const packsB = transposeB || n % 4 !== 0 || k * n > FEW_ELEMENTS;
  const bytesB = packsB ? matricesOf(d, "b") * panelsBytes(d) : 0;
  const startA = Math.ceil(bytesB / 64) * 64;
  const turned = transposeA && !packsA;
  const code: Code = {
    d,
    relaxed,
    a: {
      packedAt: packsA ? startA : undefined,
      matrix: m * k * FLOAT,
      row: turned ? FLOAT : k * FLOAT,
      term: turned ? m * FLOAT : FLOAT,
    },
    b: { packedAt: packsB ? 0 : undefined, matrix: packsB ? panelsBytes(d) : k * n * FLOAT },
    ...itemOf(d),
  };
  const [{ vectors }] = blocksOf(n);
  const letters = `${packsA ? "t" : "n"}${packsB ? "p" : "n"}`;
  const tile = `${rowsOf(vectors)}x${4 * vectors}_${relaxed ? "relaxed" : "simd"}`;
  return {
    name: `matmul_f32_${letters}_${tile}`,
    phases: [
      ...(packsB ? [packColumns(d, 0)] : []),
      ...(packsA ? [packRows(d, startA)] : []),
      products(code),
    ],
    sharedBytes: startA + (packsA ? matricesOf(d, "a") * m * k * FLOAT : 0),
  };
});

/** Rows and whole panels of an item: large for the caches, small where there would be too few items for threads. */
function itemOf({ batch, m, n, k }: MatmulDims): { rows: number; panels: number } {
  const inParts = (count: number, parts: number, step: number) =>
    Math.max(step, Math.ceil(count / parts / step) * step);
  const all = Math.max(1, Math.floor(n / BLOCK));
  const [rowParts, panelParts] = [Math.ceil(m / ROWS), Math.ceil((all * BLOCK) / COLUMNS)];
  let [rows, panels] = [inParts(m, rowParts, ROW_STEP), inParts(all, panelParts, 1)];
  const items = () => batch * Math.ceil(m / rows) * Math.ceil(all / panels);
  const canHalve = () => rows > 2 * ROW_STEP || panels > 1;
  while (items() < ENOUGH_ITEMS && rows * panels * BLOCK * k >= 2 * ITEM_PRODUCTS && canHalve()) {
    if (rows > 2 * ROW_STEP && rows >= panels * BLOCK) rows = inParts(rows, 2, ROW_STEP);
    else if (panels > 1) panels = inParts(panels, 2, 1);
    else rows = inParts(rows, 2, ROW_STEP);
  }
  return { rows, panels };
}

/** The phase that multiplies. */
function products(code: Code): Phase<MatmulArrays> {
  const { d, rows, panels } = code;
  const { batch, m, n, k } = d;
  const rowParts = Math.ceil(m / rows);
  const panelParts = Math.max(1, Math.ceil(Math.floor(n / BLOCK) / panels));
  const itemProducts = Math.min(m, rows) * Math.min(n, panels * BLOCK) * k;
  return {
    items: batch * rowParts * panelParts,
    grain: Math.ceil(ITEM_PRODUCTS / itemProducts),
    write: (f, locals) => {
      const { i32 } = f;
      const { item, matrix, part, firstRow, rowCount, a, b, y, t, count, first, last } = f.declare("i32");
      const groups = blocksOf(n).map((blocks) => ({
        blocks,
        write: panelWriter(f, { a, b, y, t, count, rowCount }, blocks, code),
      }));
      const factorAt = (factor: "a" | "b") => {
        const { packedAt, matrix: bytes } = code[factor];
        const start = packedAt === undefined ? locals.arrays[factor] : i32.add(locals.shared, packedAt);
        return matrixAt(f, matrix, d, factor, start, bytes);
      };
      f.forRange(item, { from: locals.from, to: locals.to }, () => {
        f.unravel(item, [matrix, firstRow, part], [rowParts, panelParts]);
        f.set(firstRow, i32.mul(firstRow, rows));
        f.cut(rowCount, firstRow, m, rows);
        f.set(y, f.at(firstRow, matrix, m));
        f.set(y, f.at(locals.arrays.y, y, n * FLOAT));
        f.set(a, factorAt("a"));
        f.advance(a, i32.mul(firstRow, code.a.row));
        f.set(b, factorAt("b"));
        f.forRange(t, { to: k, step: TERMS }, () => {
          f.cut(count, t, k, TERMS);
          for (const { blocks, write } of groups) {
            if (blocks.channels < BLOCK) {
              // The columns after the last whole panel go with the last of them.
              f.if(i32.eq(part, panelParts - 1), () => {
                f.set(first, blocks.first / BLOCK);
                write(first);
              });
            } else {
              f.set(first, i32.mul(part, panels));
              f.set(last, i32.add(first, panels));
              f.set(last, f.min(last, blocks.count));
              f.loop((again) => {
                write(first);
                f.advance(first, 1);
                f.brIf(again, i32.lt_s(first, last));
              });
            }
          }
        });
      });
    },
  };
}

interface ItemLocals {
  /** The item's first row in a and y, and how many it has. */
  readonly a: I32;
  readonly y: I32;
  readonly rowCount: I32;
  /** The matrix b. */
  readonly b: I32;
  /** The first term of the chunk, and how many. */
  readonly t: I32;
  readonly count: I32;
}

/** What writes the code for a panel of some group: all rows of the item by the chunk of the panel. */
function panelWriter(
  f: FunctionBuilder,
  { a, b, y, t, count, rowCount }: ItemLocals,
  blocks: Blocks,
  { d, a: reading, b: { packedAt }, relaxed }: Code,
): (panel: I32) => void {
  const { m, n, k } = d;
  const { vectors, channels } = blocks;
  const rows = rowsOf(vectors);
  const tile = registerTile(f, rows, vectors, relaxed);
  const packed = packedAt !== undefined;
  const termBytes = packed ? panelRow(blocks) : n * FLOAT;
  const { line, chunk, x, w, end, out, left } = f.declare("i32");
  const multiply = (part: Tile) => {
    const store = () => part.store(out, n * FLOAT, channels);
    part.clear();
    f.set(x, line);
    f.set(w, chunk);
    f.set(end, f.at(x, count, reading.term));
    part.accumulate(x, end, w, { row: reading.row, x: reading.term, w: termBytes });
    if (k > TERMS) f.if(f.get(t), () => part.add(out, n * FLOAT, channels), store);
    else store();
  };
  return (panel) => {
    f.set(line, f.at(a, t, reading.term));
    f.set(out, f.at(y, panel, BLOCK * FLOAT));
    f.set(chunk, f.at(f.at(b, panel, BLOCK * FLOAT * (packed ? k : 1)), t, termBytes));
    f.set(left, rowCount);
    f.whileAtLeast(left, rows, () => {
      multiply(tile);
      f.advance(line, rows * reading.row);
      f.advance(out, rows * n * FLOAT);
    });
    // Only the last rows of a matrix are no whole tiles.
    const rest = m % rows;
    if (rest > 0) f.if(f.get(left), () => multiply(tile.first(rest)));
  };
}

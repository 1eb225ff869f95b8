// Writes the product of a small constant matrix and a vector of locals in few instructions.
//
// Points come in pairs ±p, so rows of Winograd's matrices (or columns, in their transposes) come in pairs that differ
// in the sign of some coefficients. What a pair of rows shares is computed once: e from the equal coefficients, o from
// the opposite ones divided by the least of them, c, then e + c·o and e - c·o. A pair of columns likewise: their inputs'
// sum and difference stand for them. In a sum, terms with coefficients ±c are added up before they are multiplied.

import { type FunctionBuilder, type I32, type V128, type Value, VECTOR } from "../../asm/index.ts";
import type { Matrix } from "./bilinear.ts";

/** `coefficient` times the node of that number. */
interface Term {
  readonly node: number;
  readonly coefficient: number;
}

/**
 * A matrix as a list of sums. Nodes 0 … inputs - 1 are the inputs; each sum makes the next node out of earlier ones;
 * output i is the node `outputs[i]`.
 */
export interface LinearMap {
  readonly inputs: number;
  readonly sums: readonly (readonly Term[])[];
  readonly outputs: readonly number[];
}

/** Choosing an algorithm and writing its code ask for the same few matrices again and again. */
const known = new WeakMap<Matrix, LinearMap>();

/** Finds the sums of a matrix. */
export function linearMap(matrix: Matrix): LinearMap {
  const map = known.get(matrix) ?? findSums(matrix);
  known.set(matrix, map);
  return map;
}

function findSums(matrix: Matrix): LinearMap {
  const inputs = matrix[0].length;
  const sums: Term[][] = [];
  const nodeOf = (terms: Term[]): number => {
    const [only] = terms;
    if (terms.length === 1 && only.coefficient === 1) return only.node;
    return inputs + sums.push(terms) - 1;
  };

  const pairOf = (a: number, b: number, coefficient: number) =>
    nodeOf([
      { node: a, coefficient: 1 },
      { node: b, coefficient },
    ]);

  // Columns in pairs: what stands at a node is then a column of coefficients.
  let columns = matrix[0].map((_, node) => ({ node, values: matrix.map((row) => row[node]) }));
  for (let i = 0; i < inputs; i++)
    for (let j = i + 1; j < inputs; j++) {
      const [a, b] = [i, j].map((node) => columns.find((column) => column.node === node));
      const parts = a && b && split(a.values, b.values);
      if (parts === undefined) continue;
      const { equal, opposite } = parts;
      if (Math.max(equal.filter(Boolean).length, opposite.filter(Boolean).length) < 2) continue;
      columns = columns.filter((column) => column !== a && column !== b);
      if (equal.some(Boolean)) columns.push({ node: pairOf(i, j, 1), values: equal });
      if (opposite.some(Boolean)) columns.push({ node: pairOf(i, j, -1), values: opposite });
    }
  const termsOf = (values: readonly number[]) =>
    values
      .map((coefficient, i) => ({ node: columns[i].node, coefficient }))
      .filter(({ coefficient }) => coefficient !== 0);

  // Rows in pairs.
  const rows = matrix.map((_, i) => columns.map(({ values }) => values[i]));
  const outputs: number[] = [];
  rows.forEach((row, i) => {
    if (outputs[i] !== undefined) return;
    for (let j = i + 1; j < rows.length; j++) {
      const parts = outputs[j] === undefined ? split(row, rows[j]) : undefined;
      const [even, odd] = [termsOf(parts?.equal ?? []), termsOf(parts?.opposite ?? [])];
      if (even.length === 0 || odd.length === 0 || even.length + odd.length < 3) continue;
      const least = Math.min(...odd.map(({ coefficient }) => Math.abs(coefficient)));
      const [e, o] = [
        nodeOf(even),
        nodeOf(odd.map((term) => ({ ...term, coefficient: term.coefficient / least }))),
      ];
      outputs[i] = pairOf(e, o, least);
      outputs[j] = pairOf(e, o, -least);
      return;
    }
    outputs[i] = nodeOf(termsOf(row));
  });
  return { inputs, sums, outputs };
}

/** The parts of two lists that are equal and opposite, if they differ in nothing but signs. */
function split(
  a: readonly number[],
  b: readonly number[],
): { readonly equal: number[]; readonly opposite: number[] } | undefined {
  if (a.some((value, i) => Math.abs(value) !== Math.abs(b[i]))) return undefined;
  return {
    equal: a.map((value, i) => (value === b[i] ? value : 0)),
    opposite: a.map((value, i) => (value === b[i] ? 0 : value)),
  };
}

/** What the numbers of a map are, and whether a product and a sum of theirs may be one instruction. */
interface Arithmetic {
  readonly lanes: "f32x4" | "f64x2";
  readonly relaxed: boolean;
}

/** Writes a map's sums: takes the inputs' locals and calls `output` with each output's as soon as it is there. */
export type MapWriter = (inputs: readonly V128[], output: (i: number, value: V128) => void) => void;

/** Prepares the writing of a map; its constants are set here, so that later loops find them in registers. */
export function mapWriter(f: FunctionBuilder, map: LinearMap, { lanes, relaxed }: Arithmetic): MapWriter {
  const op = f[lanes];
  const constants = new Map<number, V128>();
  for (const { coefficient } of map.sums.flat()) {
    const c = Math.abs(coefficient);
    if (c !== 1 && !constants.has(c)) constants.set(c, f.let("c", f.v128.const(lanes, c)));
  }
  const nodes = map.sums.map(() => f.local("node", "v128"));
  const sums = map.sums.map(groupsOf);

  return (inputs, output) => {
    const local = (node: number) => (node < map.inputs ? inputs[node] : nodes[node - map.inputs]);
    sums.forEach((groups, k) => {
      f.set(nodes[k], upTo(groups, groups.length - 1));
      map.outputs.forEach((node, i) => {
        if (node === map.inputs + k) output(i, nodes[k]);
      });
    });
    map.outputs.forEach((node, i) => {
      if (node < map.inputs) output(i, local(node));
    });

    /** The sum of the first groups, up to this one. */
    function upTo(groups: readonly Group[], last: number): Value<"v128"> {
      const { coefficient, terms } = groups[last];
      const c = constants.get(coefficient);
      const [first, ...rest] = terms as [Term, ...Term[]];
      const negative = first.coefficient < 0;
      /** The terms' sum, without constant and with the sign of the first. */
      const inner = () =>
        rest.reduce<Value<"v128">>(
          (value, { node, coefficient }) =>
            coefficient < 0 === negative ? op.add(value, local(node)) : op.sub(value, local(node)),
          f.get(local(first.node)),
        );
      if (last === 0) {
        const value = c === undefined ? inner() : op.mul(inner(), c);
        return negative ? op.neg(value) : value;
      }
      if (c === undefined) throw new Error("unreachable: ones come first");
      if (relaxed) return op[negative ? "relaxed_nmadd" : "relaxed_madd"](inner(), c, upTo(groups, last - 1));
      const before = upTo(groups, last - 1);
      return op[negative ? "sub" : "add"](before, op.mul(inner(), c));
    }
  };
}

/** Prepares the maps of both axes. */
export function mapWriters(f: FunctionBuilder, rows: Matrix, columns: Matrix, arithmetic: Arithmetic) {
  const down = mapWriter(f, linearMap(rows), arithmetic);
  const isSame = String(rows) === String(columns);
  return [down, isSame ? down : mapWriter(f, linearMap(columns), arithmetic)] as const;
}

/** Where the numbers of a product in {@link filterPairWriter} lie. */
interface PairPlaces {
  /** Leaves two floats of row `i` of the column at hand in the lowest lanes. */
  readonly load: (i: number) => Value<"v128">;
  readonly nextColumn: () => void;
  /** Takes two floats of column `j` of the row at hand from there. */
  readonly store: (j: number, pair: V128) => void;
  readonly nextRow: () => void;
}

/**
 * Prepares the product `rows · x · columnsᵀ` in double, for two filters in the two lanes of x. It has a loop for each axis: unrolled,
 * filters that are transformed once were a quarter of the code of a network.
 *
 * @param scratch memory for a vector of each of `rows` and each column of x
 */
export function filterPairWriter(f: FunctionBuilder, rows: Matrix, columns: Matrix, scratch: I32) {
  const { f32x4, f64x2, v128 } = f;
  const [down, across] = mapWriters(f, rows, columns, { lanes: "f64x2", relaxed: false });
  const [height, width] = [rows[0].length, columns[0].length];
  const inputs = f.locals("in", "v128", Math.max(height, width));
  const rounded = f.local("rounded", "v128");
  const { column, row, half } = f.declare("i32");
  return ({ load, nextColumn, store, nextRow }: PairPlaces): void => {
    f.set(half, scratch);
    f.forRange(column, { to: width }, () => {
      for (let i = 0; i < height; i++) f.set(inputs[i], f64x2.promote_low_f32x4(load(i)));
      down(inputs, (i, value) => v128.store(half, value, { offset: i * width * VECTOR }));
      f.advance(half, VECTOR);
      nextColumn();
    });
    f.set(half, scratch);
    f.forRange(row, { to: rows.length }, () => {
      for (let j = 0; j < width; j++) f.set(inputs[j], v128.load(half, { offset: j * VECTOR }));
      across(inputs, (j, value) => {
        f.set(rounded, f32x4.demote_f64x2_zero(value));
        store(j, rounded);
      });
      f.advance(half, width * VECTOR);
      nextRow();
    });
  };
}

/** Terms of a sum that have ± one coefficient. */
interface Group {
  readonly coefficient: number;
  readonly terms: readonly Term[];
}

/** Ones come first: they need no product. A group begins with a positive term if it has one. */
function groupsOf(terms: readonly Term[]): Group[] {
  const sizes = [...new Set(terms.map(({ coefficient }) => Math.abs(coefficient)))].sort((a, b) => a - b);
  return [...sizes.filter((c) => c === 1), ...sizes.filter((c) => c !== 1)].map((c) => ({
    coefficient: c,
    terms: terms
      .filter(({ coefficient }) => Math.abs(coefficient) === c)
      .sort((a, b) => Math.sign(b.coefficient) - Math.sign(a.coefficient)),
  }));
}

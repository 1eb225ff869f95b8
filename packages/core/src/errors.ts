// Errors and the labelled checks. Every message names the operation, the argument, what was wanted and
// what came: "conv2d: w has 32 input channels but x [1,64,64,16] has 16".

/**
 * Shapes that do not fit together. The message names the operation, the argument, what was wanted and what came.
 *
 * @example
 * try { add(zeros([2]), zeros([3])); }
 * catch (error) { console.log(error.name); } // ShapeError
 */
export class ShapeError extends RangeError {
  override readonly name = "ShapeError";
}

/**
 * Writes a shape as it stands in messages: `[1,64,64,16]`.
 *
 * @example
 * console.log(formatShape([1, 64, 64, 16])); // [1,64,64,16]
 */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(",")}]`;
}

/**
 * What a value is, for a message: `Uint8Array`, `string`. By name, since arrays of another realm are no instances.
 *
 * @example
 * console.log(kindOf([]), kindOf(new Float32Array(1)), kindOf("text")); // Array Float32Array string
 */
export function kindOf(value: unknown): string {
  const { [Symbol.toStringTag]: tag } = Object(value) as { [Symbol.toStringTag]?: string };
  if (tag !== undefined) return tag;
  if (value === null) return "null";
  return Array.isArray(value) ? "Array" : typeof value;
}

/** What was given where a number is wanted: the number, or what it is instead. */
export const numberOrKind = (value: unknown): string =>
  typeof value === "number" ? String(value) : kindOf(value);

const LONGEST_QUOTE = 80;

/**
 * A value out of a file as it stands in messages: as JSON, without what steers a terminal, cut at 80 characters.
 *
 * @example
 * console.log(quote("conv\u009b2J"), quote({ rank: 4 }), quote("x".repeat(1000)).length); // "conv?2J" {"rank":4} 81
 */
export function quote(value: unknown): string {
  const text = String(JSON.stringify(value)).replace(/[\p{C}\u2028\u2029]/gu, "?");
  return text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
}

/**
 * Throws unless the tensor-like argument has the given number of axes.
 *
 * @throws ShapeError otherwise
 * @example
 * try { expectRank("conv2d", "x", [8, 8, 3], 4, "[N,H,W,C]"); }
 * catch (error) { console.log(error.message); } // conv2d: x must have 4 axes [N,H,W,C] but is [8,8,3]
 */
export function expectRank(
  op: string,
  name: string,
  shape: readonly number[],
  rank: number,
  axes: string,
): void {
  if (shape.length === rank) return;
  throw new ShapeError(`${op}: ${name} must have ${rank} axes ${axes} but is ${formatShape(shape)}`);
}

/**
 * Throws unless the shape is exactly the one wanted.
 *
 * @throws ShapeError otherwise
 * @example
 * try { expectShape("groupNorm", "gamma", [8], [16]); }
 * catch (error) { console.log(error.message); } // groupNorm: gamma must be [16] but is [8]
 */
export function expectShape(
  op: string,
  name: string,
  shape: readonly number[],
  wanted: readonly number[],
): void {
  if (shape.length === wanted.length && shape.every((size, axis) => size === wanted[axis])) return;
  throw new ShapeError(`${op}: ${name} must be ${formatShape(wanted)} but is ${formatShape(shape)}`);
}

/**
 * Throws unless the value is an integer of at least `minimum`.
 *
 * @throws RangeError otherwise
 * @example
 * try { expectInteger("maxPool2d", "size", 0.5, 1); }
 * catch (error) { console.log(error.message); } // maxPool2d: size must be an integer of at least 1 but is 0.5
 */
export function expectInteger(op: string, name: string, value: number, minimum: number): void {
  if (Number.isInteger(value) && value >= minimum) return;
  throw new RangeError(
    `${op}: ${name} must be an integer of at least ${minimum} but is ${numberOrKind(value)}`,
  );
}

/**
 * Throws unless the value is a number between two bounds, both included.
 *
 * @throws RangeError otherwise
 * @example
 * try { expectBetween("dropout", "rate", 2, 0, 1); }
 * catch (error) { console.log(error.message); } // dropout: rate must lie between 0 and 1 but is 2
 */
export function expectBetween(op: string, name: string, value: number, low: number, high: number): void {
  if (value >= low && value <= high) return;
  throw new RangeError(`${op}: ${name} must lie between ${low} and ${high} but is ${numberOrKind(value)}`);
}

/** The known name that is the fewest letters away, cases aside; `undefined` where more than a third would change. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const distances = known.map((other) => lettersBetween(name.toLowerCase(), other.toLowerCase()));
  const least = Math.min(...distances);
  return least <= name.length / 3 ? known[distances.indexOf(least)] : undefined;
}

/** Letters to add, take away or exchange (Levenshtein 1966). */
function lettersBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= b.length; j++)
      row[j] = Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
  }
  return row[b.length];
}

/**
 * Throws unless `options` is a record of known options: JavaScript callers misspell them, and an option that nobody
 * reads would change nothing without a word.
 *
 * @throws TypeError otherwise, with the name that may be meant
 * @example
 * try { expectOptions("sum", { axis: 0 }, ["axes", "keepDims"]); }
 * catch (error) { console.log(error.message); } // sum: there is no option axis; the options are axes, keepDims; axes may be meant
 */
export function expectOptions(op: string, options: object, known: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError(
      `${op}: options must be a record such as { ${known[0]}: … } but is ${kindOf(options)}`,
    );
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const meant = nearest(unknown, known);
  const advice = meant === undefined ? "" : `; ${meant} may be meant`;
  throw new TypeError(`${op}: there is no option ${unknown}; the options are ${known.join(", ")}${advice}`);
}

/**
 * Throws unless the argument is a list: of sizes, axes, tensors.
 *
 * @throws TypeError otherwise
 * @example
 * try { expectList("zeros", "shape", 3 as never); }
 * catch (error) { console.log(error.message); } // zeros: shape must be a list but is number
 */
export function expectList(op: string, name: string, value: readonly unknown[]): void {
  if (!Array.isArray(value)) throw new TypeError(`${op}: ${name} must be a list but is ${kindOf(value)}`);
}

/**
 * Throws unless the value, found at a place of an array of indices or classes, is an integer below `count`.
 *
 * @throws RangeError otherwise
 * @example
 * try { expectIndex("gather", "indices", 5, 0, 3); }
 * catch (error) { console.log(error.message); } // gather: indices 5 at 0 must be an integer from 0 to 2
 */
export function expectIndex(op: string, name: string, value: number, at: number, count: number): void {
  if (Number.isInteger(value) && value >= 0 && value < count) return;
  throw new RangeError(`${op}: ${name} ${value} at ${at} must be an integer from 0 to ${count - 1}`);
}

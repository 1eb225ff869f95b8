// Errors and the labelled checks. Every message names the operation, the argument, what was wanted and
// what came: "conv2d: w has 32 input channels but x [1,64,64,16] has 16".

/** Shapes that do not fit together. The message names the operation, the argument, what was wanted and what came. */
export class ShapeError extends RangeError {
  override readonly name = "ShapeError";
}

/** Writes a shape as it stands in messages: `[1,64,64,16]`. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(",")}]`;
}

/** What a value is, for a message: `Uint8Array`, `string`. By name, since arrays of another realm are no instances. */
export function kindOf(value: unknown): string {
  const { [Symbol.toStringTag]: tag } = Object(value) as { [Symbol.toStringTag]?: string };
  if (tag !== undefined) return tag;
  if (value === null) return "null";
  return Array.isArray(value) ? "Array" : typeof value;
}

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

/** Throws unless the tensor-like argument has the given number of axes. */
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

/** Throws unless the shape is exactly the one wanted. */
export function expectShape(
  op: string,
  name: string,
  shape: readonly number[],
  wanted: readonly number[],
): void {
  if (shape.length === wanted.length && shape.every((size, axis) => size === wanted[axis])) return;
  throw new ShapeError(`${op}: ${name} must be ${formatShape(wanted)} but is ${formatShape(shape)}`);
}

/** Throws unless the value is an integer of at least `minimum`. */
export function expectInteger(op: string, name: string, value: number, minimum: number): void {
  if (Number.isInteger(value) && value >= minimum) return;
  throw new RangeError(`${op}: ${name} must be an integer of at least ${minimum} but is ${value}`);
}

/** Throws unless the value is a number between two bounds, both included. */
export function expectBetween(op: string, name: string, value: number, low: number, high: number): void {
  if (value >= low && value <= high) return;
  throw new RangeError(`${op}: ${name} must lie between ${low} and ${high} but is ${value}`);
}

// What checks of exercises are made of: each throws an error that says what was wanted and what came.

/** Throws unless two numbers are the same within a tolerance. */
export function expectNumber(what: string, came: unknown, wanted: number, tolerance = 1e-6): void {
  if (typeof came === "number" && Math.abs(came - wanted) <= tolerance * Math.max(1, Math.abs(wanted)))
    return;
  throw new Error(`${what} must be ${Number(wanted.toPrecision(7))} but is ${String(came)}`);
}

/** Throws unless two lists of numbers are the same within a tolerance; names the first place where they differ. */
export function expectNumbers(
  what: string,
  came: unknown,
  wanted: ArrayLike<number>,
  tolerance = 1e-5,
): void {
  const list = came as ArrayLike<unknown> | null | undefined;
  if (typeof list !== "object" || list === null || list.length !== wanted.length)
    throw new Error(`${what} must have ${wanted.length} numbers but is ${String(came)}`);
  for (let i = 0; i < wanted.length; i++) expectNumber(`${what}[${i}]`, list[i], wanted[i], tolerance);
}

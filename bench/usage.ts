// What a user gets wrong is said in one line, with what would have been right.

/** A mistake in the command: one line for the user, exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Gives the value back if it is among the valid ones. */
export function oneOf(what: string, value: string, valid: readonly string[]): string {
  if (valid.includes(value)) return value;
  throw new UsageError(`unknown ${what} "${value}": wants ${valid.join(", ")}`);
}

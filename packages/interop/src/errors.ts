/**
 * A file that cannot be taken over: damaged, of another kind, or of a network that this family does not have.
 *
 * @example
 * try { await importKeras(new Uint8Array(4)); }
 * catch (error) { console.log(error.name); } // ImportError
 */
export class ImportError extends Error {
  override readonly name = "ImportError";

  constructor(message: string, options?: ErrorOptions) {
    super(printable(message), options);
  }
}

const LONGEST = 800;

/** Text out of a file, as it may be shown: what could steer a terminal becomes `?`, and what is endless ends. */
export function printable(text: string): string {
  const harmless = text.replace(/[\p{C}\u2028\u2029]/gu, "?");
  return harmless.length > LONGEST ? `${harmless.slice(0, LONGEST)} …` : harmless;
}

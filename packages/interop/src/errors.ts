/** A file that cannot be taken over: damaged, of another kind, or of a network that this family does not have. */
export class ImportError extends Error {
  override readonly name = "ImportError";
}

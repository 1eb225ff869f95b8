// What the hosts share that read files.

/** Checks a file by its size, as far as that is known, and by its first bytes, where they have come; throws to refuse it. */
export type Expectation = (head: Uint8Array | undefined, size: number | undefined) => void;

/** What a bundle has to be told, which lies in another folder than this package. */
export const NOT_BESIDE =
  'loadSegmenter: the weights are not beside this code, as in a bundle; give it those of "@saunet/model/weights", as docs/bundlers.md shows';

/** Parts one after the other. */
export function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

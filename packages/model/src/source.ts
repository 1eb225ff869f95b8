// What the hosts share that read files.

/** Checks a file by its size, as far as that is known, and by its first bytes, where they have come; throws to refuse it. */
export type Expectation = (head: Uint8Array | undefined, size: number | undefined) => void;

/** Parts one behind the other. */
export function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

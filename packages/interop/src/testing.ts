// What goes wrong with headers of files, for the tests that try it: they say something else.

import fc from "fast-check";

/** A change to JSON: what is at the `which`-th place of it is replaced, taken away, renamed or doubled. */
interface Edit {
  readonly how: "replace" | "delete" | "rename" | "double";
  readonly which: number;
  readonly value: unknown;
}

/** What no reader may take for what it wants: other types, other names, numbers out of range, endless texts. */
const oddities: readonly unknown[] = [
  ...[null, true, 0, -1, 0.5, 4, 8, 1e308, 2 ** 53, "", "F32", "\u001b[2J\u009b", "x".repeat(2000)],
  ...[[], {}, [[]], [0, 0], [1, 1], { toString: 1 }, { valueOf: null }, { class_name: "Conv2D", config: {} }],
];

/** Up to three changes to JSON. */
export const edits: fc.Arbitrary<Edit[]> = fc.array(
  fc.record({
    how: fc.constantFrom("replace", "replace", "delete", "rename", "double" as const),
    which: fc.nat(1e6),
    value: fc.constantFrom(...oddities),
  }),
  { minLength: 1, maxLength: 3 },
);

type Holder = Record<string, unknown> | unknown[];

/** Every place in JSON, as what holds it and its key. */
function placesIn(json: unknown): [Holder, string][] {
  if (typeof json !== "object" || json === null) return [];
  const holder = json as Holder;
  return Object.entries(holder).flatMap(([key, inner]) => [
    [holder, key] as [Holder, string],
    ...placesIn(inner),
  ]);
}

/** JSON to which all this has happened; texts that hold JSON themselves are changed inside as well. */
export function edited(text: string, all: readonly Edit[]): string {
  const json = unfolded(JSON.parse(text));
  for (const { how, which, value } of all) {
    const places = placesIn(json);
    if (places.length === 0) break;
    const [holder, key] = places[which % places.length];
    const here = holder as Record<string, unknown>;
    if (how === "replace") here[key] = structuredClone(value);
    else if (how === "delete") delete here[key];
    else if (Array.isArray(holder)) holder.push(structuredClone(here[key]));
    else {
      here[`${key}${String(which)}`] = structuredClone(here[key]);
      if (how === "rename") delete here[key];
    }
  }
  return JSON.stringify(folded(json));
}

/** A text of JSON inside JSON, while it is changed. */
class Folded {
  json: unknown;

  constructor(json: unknown) {
    this.json = json;
  }
}

const isFolded = (value: unknown): value is string => typeof value === "string" && /^[[{]/.test(value);

function unfolded(json: unknown): unknown {
  if (isFolded(json)) return new Folded(unfolded(JSON.parse(json)));
  if (Array.isArray(json)) return json.map(unfolded);
  if (typeof json !== "object" || json === null) return json;
  return Object.fromEntries(Object.entries(json).map(([key, inner]) => [key, unfolded(inner)]));
}

function folded(json: unknown): unknown {
  if (json instanceof Folded) return JSON.stringify(folded(json.json));
  if (Array.isArray(json)) return json.map(folded);
  if (typeof json !== "object" || json === null) return json;
  return Object.fromEntries(Object.entries(json).map(([key, inner]) => [key, folded(inner)]));
}

/** A safetensors file with another header before the same data. */
export function withHeader(bytes: Uint8Array, change: (header: string) => string): Uint8Array {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = new TextEncoder().encode(change(new TextDecoder().decode(bytes.subarray(8, 8 + length))));
  const data = bytes.subarray(8 + length);
  const whole = new Uint8Array(8 + header.length + data.length);
  new DataView(whole.buffer).setBigUint64(0, BigInt(header.length), true);
  whole.set(header, 8);
  whole.set(data, 8 + header.length);
  return whole;
}

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exactKey } from "./keys.ts";

const numbers = fc.oneof(
  fc.double(),
  fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
);
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    numbers,
    fc.string(),
    fc.boolean(),
    fc.constantFrom(null, undefined),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.string({ maxLength: 3 }), tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;

/** Equal in everything that a reader of dims can see, the order of names apart. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return Object.is(a, b);
  const [own, other] = [Object.entries(a), Object.entries(b)];
  return (
    Array.isArray(a) === Array.isArray(b) &&
    own.length === other.length &&
    own.every(([name, value], i) => name === other[i][0] && same(value, other[i][1]))
  );
}

describe("exactKey", () => {
  it("is equal where values are, and only there", () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        expect(exactKey(a) === exactKey(b)).toBe(same(a, b));
        expect(exactKey(structuredClone(a))).toBe(exactKey(a));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    [0, -0],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    [Number.NaN, null],
    [{ a: undefined }, {}],
    [["a,b"], ["a", "b"]],
    ["NaN", Number.NaN],
    [{ "a:1,b": 2 }, { a: 1, b: 2 }],
    [[[], []], [[[]]]],
  ])("tells %o from %o, which JSON or a list of texts does not", (a, b) => {
    expect(exactKey(a)).not.toBe(exactKey(b));
  });

  it("takes a record without a prototype as any other", () => {
    expect(exactKey(Object.assign(Object.create(null), { a: 1 }))).toBe("{a:1}");
  });

  it.each([() => 1, Symbol("a"), new Map(), new Float32Array(2), 1n])("refuses %o", (value) => {
    expect(() => exactKey({ value })).toThrow(TypeError);
  });
});

// Keys for caches: texts that are equal only where values are.

/**
 * Writes a value of numbers, texts, truth values, lists and plain records as a text that no other value has. JSON would
 * not do: it has no infinities, no NaN, no -0, and leaves out what is undefined.
 *
 * @throws TypeError where the value holds anything else
 * @example
 * console.log(exactKey({ value: -Infinity, axes: [-0, Number.NaN], name: undefined })); // {value:-Infinity,axes:[-0,NaN],name:undefined}
 */
export function exactKey(value: unknown): string {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (value === undefined || value === null || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return `[${value.map(exactKey).join()}]`;
  if (typeof value === "object") {
    const prototype = Object.getPrototypeOf(value);
    if (prototype === null || Object.getPrototypeOf(prototype) === null) {
      const entries = Object.entries(value).map(([name, inner]) => `${quoted(name)}:${exactKey(inner)}`);
      return `{${entries.join()}}`;
    }
  }
  throw new TypeError(`exactKey: wants numbers, texts, lists and plain records but got ${String(value)}`);
}

const quoted = (name: string): string => (/^\w+$/.test(name) ? name : JSON.stringify(name));

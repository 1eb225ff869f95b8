// Numbers as a person reads them.

/** Between a number and its unit: no line breaks there. */
const NO_BREAK = "\u00a0";

/** A share in percent. */
export const percent = (share: number): string => `${(100 * share).toFixed(1)}${NO_BREAK}%`;

/** A duration. */
export const duration = (seconds: number): string =>
  seconds < 0.9995 ? `${Math.round(1000 * seconds)}${NO_BREAK}ms` : `${seconds.toFixed(2)}${NO_BREAK}s`;

/** Something and how many of it. */
export const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;

/** A number with a real minus sign, and none before zero. */
export function signed(value: number, digits = 3): string {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/** The same behind a minus sign or another operator. */
export const operand = (value: number): string => {
  const text = signed(value);
  return text.startsWith("−") ? `(${text})` : text;
};

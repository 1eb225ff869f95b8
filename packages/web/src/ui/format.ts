// Numbers as a person reads them.

/** A share in percent. */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** A duration. */
export const duration = (seconds: number): string =>
  seconds < 0.9995 ? `${Math.round(1000 * seconds)} ms` : `${seconds.toFixed(2)} s`;

/** Something and how many of it. */
export const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;

/** A number with a real minus sign, and none before zero. */
export function signed(value: number, digits = 3): string {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

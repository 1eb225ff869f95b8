// Floats of 16 bits: IEEE 754 binary16, with 1 bit of sign, 5 of exponent (bias 15) and 10 of fraction, and bfloat16.
// DataView learns the first in ES2025 (getFloat16, setFloat16); Node 20 has neither.

/** Larger numbers have no 16-bit form but infinity. */
export const LARGEST_HALF = 65504;

/**
 * The number that 16 bits stand for.
 *
 * @param bits an integer from 0 to 65535
 * @example
 * console.log(fromHalf(0x3c00), fromHalf(0xc000)); // 1 -2
 */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const word = new DataView(new ArrayBuffer(4));

/**
 * The number that 16 bits stand for as bfloat16: they are the upper half of a 32-bit float.
 *
 * @example
 * console.log(fromBfloat16(0x3f80)); // 1
 */
export function fromBfloat16(bits: number): number {
  word.setUint16(0, bits);
  return word.getFloat32(0);
}

/**
 * The bits of the nearest 16-bit float to a 32-bit one; of two that are equally near, the one that ends in 0.
 *
 * @example
 * console.log(toHalf(1).toString(16), toHalf(-2).toString(16)); // 3c00 c000
 */
export function toHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 2 ** 16) return sign | 0x7c00;
  // Neighbours are 2^(exponent - 10) apart, and 2^-24 where they are subnormal. Rounding up to the next power of two
  // carries into the exponent by itself.
  const exponent = Math.max(Math.floor(Math.log2(size)), -14);
  return sign | ((exponent + 14) * 1024 + roundToEven(size / 2 ** (exponent - 10)));
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}

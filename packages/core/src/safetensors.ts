// Named tensors in a file: the safetensors format (huggingface/safetensors, "Format").
//
//   8 bytes   length of the header, unsigned little-endian
//   header    JSON: { "name": { "dtype": "F32", "shape": […], "data_offsets": [begin, end] }, …, "__metadata__": {…} }
//   the rest  the tensors' bytes, little-endian, row-major, without gaps
//
// A file comes from outside, so nothing in it is believed: every length and offset is checked before it is used.

import { quote } from "./errors.ts";
import { fromBfloat16, fromHalf, LARGEST_HALF, toHalf } from "./portable/half.ts";
import { sizeOf } from "./shape.ts";
import { Tensor } from "./tensor.ts";

// In every host (WHATWG Encoding), but not in the type library of the bare language.
declare class TextEncoder {
  encode(text: string): Uint8Array;
}
declare class TextDecoder {
  constructor(label: string, options: { fatal: boolean });
  decode(bytes: Uint8Array): string;
}

/**
 * A file that is not safetensors, or contradicts itself.
 *
 * @example
 * try { readSafetensors(new Uint8Array(4)); }
 * catch (error) { console.log(error.name); } // SafetensorsError
 */
export class SafetensorsError extends Error {
  override readonly name = "SafetensorsError";
}

/** What a safetensors file holds. */
export interface NamedTensors {
  readonly tensors: Record<string, Tensor>;
  /** Free text by name: where the tensors come from, what they are for. */
  readonly metadata: Record<string, string>;
}

interface Entry {
  readonly name: string;
  readonly dtype: keyof typeof BYTES;
  readonly shape: number[];
  readonly begin: number;
  readonly end: number;
}

const BYTES = { F32: 4, F16: 2, BF16: 2 } as const;
const PREFIX = 8;

/**
 * Reads named tensors. 16-bit floats of both kinds (F16, BF16) are widened to 32 bits.
 *
 * @throws TypeError where `bytes` is not a Uint8Array; SafetensorsError where the bytes are cut short, the header is no
 *   JSON, or a tensor's type, shape and place contradict each other
 * @example
 * const bytes = writeSafetensors({ w: tensor([1, 2]) }, { licence: "MIT" });
 * console.log(String(readSafetensors(bytes).tensors.w)); // Tensor [2] [1, 2]
 */
export function readSafetensors(bytes: Uint8Array): NamedTensors {
  if (!(bytes instanceof Uint8Array)) throw new TypeError("readSafetensors: bytes must be a Uint8Array");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < PREFIX)
    throw new SafetensorsError(`safetensors: ${bytes.length} bytes are too few for a header`);
  const headerLength = Number(view.getBigUint64(0, true));
  const dataStart = PREFIX + headerLength;
  if (dataStart > bytes.length) {
    throw new SafetensorsError(
      `safetensors: the header is said to take ${headerLength} bytes but the file has ${bytes.length - PREFIX} after its length`,
    );
  }
  const header = parseHeader(bytes.subarray(PREFIX, dataStart));
  const { __metadata__: metadata = {}, ...rest } = header;
  const entries = Object.entries(rest).map(([name, entry]) => checkEntry(name, entry));
  checkPlaces(entries, bytes.length - dataStart);
  const widen = { F16: fromHalf, BF16: fromBfloat16 };
  const read = ({ dtype, shape, begin, end }: Entry): Tensor => {
    const values = new Float32Array(sizeOf(shape));
    // Floats lie in memory as in the file; one by one they took 5 ms of a process that has just started.
    if (dtype === "F32")
      new Uint8Array(values.buffer).set(bytes.subarray(dataStart + begin, dataStart + end));
    else
      for (let i = 0; i < values.length; i++)
        values[i] = widen[dtype](view.getUint16(dataStart + begin + i * BYTES[dtype], true));
    return new Tensor(values, shape);
  };
  const tensors = Object.fromEntries(entries.map((entry) => [entry.name, read(entry)]));
  return { tensors, metadata: checkMetadata(metadata) };
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new SafetensorsError("safetensors: the header is not JSON");
  }
  if (!isRecord(header)) throw new SafetensorsError("safetensors: the header is not a JSON object");
  return header;
}

function checkEntry(name: string, entry: unknown): Entry {
  const refuse = (what: string): never => {
    throw new SafetensorsError(`safetensors: tensor ${quote(name)} ${what}`);
  };
  if (!isRecord(entry)) return refuse("has no description");
  const { dtype, shape, data_offsets: offsets } = entry;
  if (!isType(dtype)) return refuse(`has type ${quote(dtype)}; ${Object.keys(BYTES).join(", ")} are read`);
  if (!isCounts(shape)) return refuse("has a shape that is not a list of counts");
  if (!isCounts(offsets) || offsets.length !== 2) return refuse("has offsets that are not two counts");
  const [begin, end] = offsets as [number, number];
  if (end - begin !== sizeOf(shape) * BYTES[dtype]) {
    return refuse(`of shape ${quote(shape)} and type ${dtype} does not take ${end - begin} bytes`);
  }
  return { name, dtype, shape, begin, end };
}

/** The format leaves no gap and no overlap: in order of place, each tensor begins where the one before it ends. */
function checkPlaces(entries: readonly Entry[], available: number): void {
  let expected = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== expected) {
      throw new SafetensorsError(
        `safetensors: tensor ${quote(name)} begins at byte ${begin} of the data, not at ${expected}`,
      );
    }
    expected = end;
  }
  if (expected !== available) {
    throw new SafetensorsError(
      `safetensors: the tensors take ${expected} bytes but the file holds ${available} for them`,
    );
  }
}

function checkMetadata(metadata: unknown): Record<string, string> {
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    throw new SafetensorsError("safetensors: __metadata__ must map names to texts");
  }
  return metadata as Record<string, string>;
}

/**
 * Writes named tensors as 32-bit floats, or rounded to 16 bits (three digits, half the bytes).
 *
 * @returns the bytes of a safetensors file; equal input gives equal bytes
 * @throws RangeError where a number is too large for 16 bits
 * @example
 * const bytes = writeSafetensors({ w: tensor([1, 0.1]) }, {}, { half: true });
 * console.log(String(readSafetensors(bytes).tensors.w)); // Tensor [2] [1, 0.0999756]
 */
export function writeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
  { half = false }: { readonly half?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  const dtype = half ? "F16" : "F32";
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const [name, { shape, size }] of Object.entries(tensors)) {
    const begin = end;
    end += size * BYTES[dtype];
    header[name] = { dtype, shape, data_offsets: [begin, end] };
  }
  const text = JSON.stringify(header);
  // Spaces up to a multiple of 8 let readers map the tensors in place.
  const json = new TextEncoder().encode(text);
  const headerLength = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(PREFIX + headerLength + end).fill(0x20, PREFIX, PREFIX + headerLength);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(headerLength), true);
  bytes.set(json, PREFIX);
  let at = PREFIX + headerLength;
  for (const [name, { data }] of Object.entries(tensors)) {
    for (const value of data) {
      if (half && Number.isFinite(value) && Math.abs(value) > LARGEST_HALF)
        throw new RangeError(`safetensors: tensor ${quote(name)} holds ${value}, too large for 16 bits`);
      if (half) view.setUint16(at, toHalf(value), true);
      else view.setFloat32(at, value, true);
      at += BYTES[dtype];
    }
  }
  return bytes;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isType = (value: unknown): value is Entry["dtype"] =>
  typeof value === "string" && Object.hasOwn(BYTES, value);

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);

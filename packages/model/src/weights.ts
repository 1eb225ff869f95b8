// Weights in a file: safetensors whose names are the paths of parameters.ts, and whose metadata says which network
// they belong to. Nothing is guessed: an entry that is missing, left over or of another shape is an error.

import { parameter, readSafetensors, type Tensor, writeSafetensors } from "@saunet/core";
import { formatShape, quote } from "@saunet/core/kernels";
import { type NetworkConfig, saUNetV2 } from "./config.ts";
import { NETWORK, parseConfig } from "./config-text.ts";
import { firstNotFinite } from "./diverged.ts";
import { fileKind, HEAD_BYTES, nameOfKind } from "./file-kind.ts";
import { type Parameters, parameterSpecs } from "./parameters.ts";

/**
 * Weights that do not belong to the network they were given to.
 *
 * @example
 * try { parametersFrom(saUNetV2, {}); }
 * catch (error) { console.log(error.name); } // WeightsError
 */
export class WeightsError extends Error {
  override readonly name = "WeightsError";
}

/** A network ready to run. */
export interface Weights {
  readonly config: NetworkConfig;
  readonly parameters: Parameters;
  /** What else the file says: licence, training data, date. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Checks named tensors against a network and returns its parameters in the network's order.
 *
 * @throws WeightsError that lists every entry which is missing, unused or of another shape, or names one that holds a
 *   number which is not finite
 * @example
 * const parameters = parametersFrom(saUNetV2, initialize(saUNetV2, randomState(1)));
 * console.log(Object.keys(parameters)[0]); // encoder1.conv1.filter
 */
export function parametersFrom(config: NetworkConfig, tensors: Readonly<Record<string, Tensor>>): Parameters {
  const specs = parameterSpecs(config);
  const faults: string[] = [];
  for (const [name, { shape }] of Object.entries(specs)) {
    const found = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
    if (found === undefined) faults.push(`${name} is missing`);
    else if (formatShape(found.shape) !== formatShape(shape)) {
      faults.push(`${name} must be ${formatShape(shape)} but is ${quote(found.shape)}`);
    }
  }
  for (const name of Object.keys(tensors))
    if (!Object.hasOwn(specs, name)) faults.push(`${quote(name)} belongs to no layer`);
  if (faults.length > 0) {
    const shown = faults.slice(0, 3).join("; ");
    const more = faults.length > 3 ? `; and ${faults.length - 3} more` : "";
    throw new WeightsError(`weights: not a ${config.name}: ${shown}${more}`);
  }
  expectFinite("weights", tensors);
  return Object.fromEntries(
    Object.entries(specs).map(([name, { trainable }]) => [
      name,
      trainable ? parameter(tensors[name]) : tensors[name],
    ]),
  );
}

/**
 * Throws where a tensor holds a number that is not finite: such weights give no probabilities.
 *
 * @throws WeightsError that names the tensor, the number and how many there are
 * @example
 * try { expectFinite("example", { w: tensor([1, Number.NaN]) }); }
 * catch (error) { console.log(error.message); } // example: "w" holds 1 of 2 numbers that are not finite, such as NaN
 */
export function expectFinite(op: string, tensors: Readonly<Record<string, Tensor>>): void {
  const name = firstNotFinite(tensors);
  if (name === undefined) return;
  const strange = tensors[name].data.filter((value) => !Number.isFinite(value));
  throw new WeightsError(
    `${op}: ${quote(name)} holds ${strange.length} of ${tensors[name].size} numbers that are not finite, such as ${strange[0]}`,
  );
}

/**
 * Throws where a network tells classes apart: what is asked of it is one probability per pixel.
 *
 * @throws WeightsError that names the classes
 * @example
 * expectOneOutput("segmenterOf", saUNetV2); // nothing happens
 */
export function expectOneOutput(op: string, { name, classes }: NetworkConfig): void {
  if (classes === undefined) return;
  throw new WeightsError(
    `${op}: wants a network with one output (vessel or not), but ${name} tells ${classes.length} classes apart: ${classes.join(", ")}`,
  );
}

/**
 * Writes a network as a weights file.
 *
 * @param options `half` stores 16-bit floats, which halves the file; arithmetic stays in 32 bits
 * @throws WeightsError where the parameters do not belong to the network or are not finite; RangeError where a weight is
 *   too large for 16 bits
 * @example
 * const parameters = initialize(saUNetV2, randomState(1));
 * const bytes = writeWeights({ config: saUNetV2, parameters, metadata: { licence: "MIT" } });
 * console.log(readWeights(bytes).config.name); // sa-unet-v2
 */
export function writeWeights(
  { config, parameters, metadata }: Weights,
  options: { readonly half?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  return writeSafetensors(
    parametersFrom(config, parameters),
    { ...metadata, [NETWORK]: JSON.stringify(config) },
    options,
  );
}

/**
 * Throws unless a file begins as a weights file does.
 *
 * @param head its first bytes, up to 512
 * @param size of the whole file, where it is known
 * @throws WeightsError that says what the file is instead, or that it ends too early
 * @example
 * const page = new TextEncoder().encode("<!doctype html><title>Sign in</title>");
 * try {
 *   expectWeightsFile(page);
 * } catch (error) {
 *   console.log(error.message); // weights: the file is a web page, not a safetensors file
 * }
 */
export function expectWeightsFile(head: Uint8Array, size?: number): void {
  const kind = fileKind(head);
  if (kind !== undefined && kind !== "safetensors") {
    const importable = ["keras", "hdf5"].includes(kind) ? "; saunet import takes it over" : "";
    throw new WeightsError(`weights: the file is ${nameOfKind(kind)}, not a safetensors file${importable}`);
  }
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (kind === undefined || view.byteLength < 8) throw new WeightsError("weights: not a safetensors file");
  const headerLength = Number(view.getBigUint64(0, true));
  if (size !== undefined && 8 + headerLength > size) {
    throw new WeightsError(
      `weights: the file ends too early: its header takes ${headerLength} bytes, the whole file ${size}`,
    );
  }
}

/**
 * Reads a weights file. One that does not say its network is taken for SA-UNetv2, or for `config` where that is given.
 *
 * @throws TypeError where `bytes` is not a Uint8Array; SafetensorsError where the file is damaged; WeightsError where it
 *   is of another format, does not fit the network or holds numbers that are not finite
 * @example
 * const file = writeWeights({ config: saUNetV2, parameters: initialize(saUNetV2, randomState(1)), metadata: { by: "me" } });
 * console.log(readWeights(file).metadata.by); // me
 */
export function readWeights(bytes: Uint8Array, config?: NetworkConfig): Weights {
  if (!(bytes instanceof Uint8Array)) {
    throw new TypeError("readWeights: bytes must be a Uint8Array; loadWeights takes paths and URLs");
  }
  const kind = fileKind(bytes.subarray(0, HEAD_BYTES));
  if (kind !== undefined) expectWeightsFile(bytes.subarray(0, HEAD_BYTES), bytes.length);
  const { tensors, metadata } = readSafetensors(bytes);
  const { [NETWORK]: description, ...rest } = metadata;
  const network = config ?? (description === undefined ? saUNetV2 : parseConfig(description));
  if (network === undefined) {
    throw new WeightsError(
      `weights: the file describes its network in a way that is not understood: ${quote(description)}`,
    );
  }
  return { config: network, parameters: parametersFrom(network, tensors), metadata: rest };
}

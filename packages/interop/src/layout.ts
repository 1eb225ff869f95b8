// Whose file it is, told from its first bytes.

import { fileKind, nameOfKind } from "@saunet/model";
import { ImportError } from "./errors.ts";

/** The framework whose layout a file has. */
export type Layout = "keras" | "torch";

/** An archive of an unknown kind may still be Keras's: what is in it tells. */
const LAYOUTS = new Map<string | undefined, Layout>([
  ["hdf5", "keras"],
  ["keras", "keras"],
  ["zip", "keras"],
  ["safetensors", "torch"],
]);

/**
 * Whose layout a file has, told from its first bytes: Keras's HDF5 and archives, or PyTorch's state dict in a
 * safetensors file; `undefined` where it is neither.
 *
 * @param bytes of the file, or the first 512 of them
 * @example
 * console.log(layoutOf(new TextEncoder().encode("PK\x03\x04"))); // keras
 */
export function layoutOf(bytes: Uint8Array): Layout | undefined {
  return LAYOUTS.get(fileKind(bytes));
}

/**
 * Throws unless a file begins as those of a framework do.
 *
 * @param head its first bytes, up to 512
 * @param layout the framework's; default either
 * @throws ImportError that names what the file is instead
 * @example
 * try {
 *   expectLayout(new TextEncoder().encode("<!doctype html>"));
 * } catch (error) {
 *   console.log(error.message); // is a web page, neither Keras's (HDF5 or .keras) nor a safetensors file
 * }
 */
export function expectLayout(head: Uint8Array, layout?: Layout): void {
  const kind = fileKind(head);
  if (kind === "torch" || kind === "pickle") throw torchCheckpoint(nameOfKind(kind));
  const found = LAYOUTS.get(kind);
  if (found !== undefined && (layout ?? found) === found) return;
  const wanted = {
    keras: "not Keras's (HDF5 or .keras)",
    torch: "not a safetensors file",
    any: "neither Keras's (HDF5 or .keras) nor a safetensors file",
  }[layout ?? "any"];
  throw new ImportError(kind === undefined ? `is ${wanted}` : `is ${nameOfKind(kind)}, ${wanted}`);
}

/** What `torch.save` writes is pickled: reading it means to run it. */
export function torchCheckpoint(name = nameOfKind("torch")): ImportError {
  return new ImportError(
    `is ${name}, a program rather than data: docs/interop.md says how to write safetensors instead`,
  );
}

/** Throws unless these are bytes. */
export function expectBytes(op: string, bytes: unknown): void {
  if (bytes instanceof Uint8Array) return;
  throw new TypeError(`${op}: bytes must be a Uint8Array; loadBytes takes paths and URLs`);
}

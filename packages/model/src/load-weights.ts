// Weights from wherever they are: bytes, a file, a URL. In Node and in browsers.

import type { AbortSignalLike } from "@saunet/core";
import { readLocal } from "#host";
import type { NetworkConfig } from "./config.ts";
import { HEAD_BYTES } from "./file-kind.ts";
import { type Expectation, joined } from "./source.ts";
import { expectWeightsFile, readWeights, type Weights, WeightsError } from "./weights.ts";

/** The part of a `Blob` that is used here. To name the host's own types would ask for the DOM library. */
export interface BlobLike {
  readonly size: number;
  slice(start: number, end: number): BlobLike;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** The part of a `URL` that is used here. */
export interface UrlLike {
  readonly href: string;
}

/**
 * Where weights are: their bytes, a `Blob` (such as the `File` that a user picked), a `URL` to fetch, or a path, which a
 * browser takes relative to its page.
 */
export type WeightsSource = Uint8Array | BlobLike | UrlLike | string;

/** How to load a file. */
export interface LoadOptions {
  /** Is told how many bytes have come, and of how many where that is known. */
  readonly onProgress?: ((loaded: number, total: number | undefined) => void) | undefined;
  /** An `AbortSignal` that ends a download. */
  readonly signal?: AbortSignalLike | undefined;
  /** A larger file is refused before it fills the memory; default: 512 MB. */
  readonly maxBytes?: number | undefined;
  /**
   * Looks at the first bytes (up to 512) before any others are read, and throws where the file is not wanted. The size of
   * the file is given where it is known.
   */
  readonly checkHead?: ((head: Uint8Array, size: number | undefined) => void) | undefined;
}

/** How to load weights. */
export interface LoadWeightsOptions extends Omit<LoadOptions, "checkHead"> {
  /** The network they must belong to, where the file does not say it. */
  readonly config?: NetworkConfig | undefined;
  /** What the bytes must hash to, 64 hexadecimal digits. */
  readonly sha256?: string | undefined;
}

const MAX_BYTES = 512e6;

/**
 * Loads a weights file. What is no weights file is refused by its first bytes.
 *
 * @throws WeightsError where the server refuses, the file is too large, no weights file, its hash is another or it does
 *   not fit the network; SafetensorsError where it is damaged
 * @example
 * const bytes = writeWeights({ config: saUNetV2, parameters: initialize(saUNetV2, randomState(1)), metadata: {} });
 * const { config } = await loadWeights(new Blob([bytes]), { onProgress: (loaded) => console.log(loaded > 1e6) }); // true
 * console.log(config.name); // sa-unet-v2
 */
export async function loadWeights(source: WeightsSource, options: LoadWeightsOptions = {}): Promise<Weights> {
  const bytes = await loadBytes(source, { ...options, checkHead: expectWeightsFile });
  if (options.sha256 !== undefined) await checkHash(bytes, options.sha256);
  return readWeights(bytes, options.config);
}

/**
 * Loads a file of any kind: never more of it than the limit, and nothing but its beginning where `checkHead` refuses that.
 *
 * @throws WeightsError where the server refuses or the file is too large; TypeError where `source` is no source;
 *   whatever `checkHead` throws; in Node what the file system says
 * @example
 * console.log((await loadBytes(new Blob(["weights"]))).length); // 7
 */
export async function loadBytes(source: WeightsSource, options: LoadOptions = {}): Promise<Uint8Array> {
  const { onProgress, signal } = options;
  if (signal?.aborted) throw signal.reason;
  const expect = expectation(options);
  const known = await readKnown(source, expect);
  if (known === undefined) return download(source as string | URL, options);
  onProgress?.(known.length, known.length);
  return known;
}

function expectation({ maxBytes = MAX_BYTES, checkHead }: LoadOptions): Expectation {
  return (head, size) => {
    if (size !== undefined && size > maxBytes)
      throw new WeightsError(`weights: the file has ${size} bytes or more; the limit is ${maxBytes}`);
    if (head !== undefined) checkHead?.(head, size);
  };
}

/** What needs no download. */
async function readKnown(source: WeightsSource, expect: Expectation): Promise<Uint8Array | undefined> {
  if (source instanceof Uint8Array) {
    expect(source.subarray(0, HEAD_BYTES), source.length);
    return source;
  }
  if (source instanceof Blob) {
    const bytesOf = async (blob: BlobLike) => new Uint8Array(await blob.arrayBuffer());
    expect(undefined, source.size);
    expect(await bytesOf(source.slice(0, HEAD_BYTES)), source.size);
    return bytesOf(source);
  }
  if (typeof source !== "string" && !(source instanceof URL)) {
    throw new TypeError("loadBytes: source must be a Uint8Array, a Blob, a URL or a path");
  }
  return readLocal(source, expect);
}

async function download(url: string | URL, options: LoadOptions): Promise<Uint8Array> {
  const { onProgress, signal } = options;
  const expect = expectation(options);
  const response = await fetch(url, signal === undefined ? {} : { signal: signal as AbortSignal });
  if (!response.ok || response.body === null) {
    throw new WeightsError(`weights: ${url} answered ${response.status} ${response.statusText}`.trimEnd());
  }
  // A compressed answer states its compressed length, which says nothing of what arrives here.
  const stated = response.headers.has("content-encoding") ? null : response.headers.get("content-length");
  const total = stated === null ? undefined : Number(stated);
  const parts: Uint8Array[] = [];
  let loaded = 0;
  const reader = response.body.getReader();
  try {
    expect(undefined, total);
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      const isHeadWhole = loaded >= HEAD_BYTES;
      parts.push(next.value);
      loaded += next.value.length;
      expect(undefined, loaded);
      if (!isHeadWhole && loaded >= HEAD_BYTES) expect(joined(parts, loaded).subarray(0, HEAD_BYTES), total);
      onProgress?.(loaded, total);
    }
    const whole = joined(parts, loaded);
    expect(whole.subarray(0, HEAD_BYTES), loaded);
    return whole;
  } catch (error) {
    await reader.cancel().catch(() => {});
    throw error;
  }
}

async function checkHash(bytes: Uint8Array, wanted: string): Promise<void> {
  if (!/^[0-9a-f]{64}$/i.test(wanted)) {
    throw new WeightsError(
      `weights: a SHA-256 has 64 hexadecimal digits, which ${wanted.slice(0, 70)} has not`,
    );
  }
  if (globalThis.crypto?.subtle === undefined) {
    throw new WeightsError(
      "weights: the SHA-256 cannot be checked, since browsers hash on secure pages only (https)",
    );
  }
  // A view of shared memory cannot be hashed: a copy can.
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes)));
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== wanted.toLowerCase()) {
    throw new WeightsError(`weights: the file's SHA-256 must be ${wanted.toLowerCase()} but is ${found}`);
  }
}

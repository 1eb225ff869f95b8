// Weights from wherever they are: bytes, a file, a URL. In Node and in browsers.

import { readLocal } from "#host";
import type { NetworkConfig } from "./config.ts";
import { readWeights, type Weights, WeightsError } from "./weights.ts";

/**
 * Where weights are: their bytes, a Blob (such as the File that a user picked), a URL to fetch, or a path, which a
 * browser takes relative to its page.
 */
export type WeightsSource = Uint8Array | Blob | URL | string;

/** How to load weights. */
export interface LoadWeightsOptions {
  /** The network they must belong to, where the file does not say it. */
  readonly config?: NetworkConfig;
  /** What the bytes must hash to, 64 hexadecimal digits. */
  readonly sha256?: string;
  /** Is told how many bytes have come, and of how many where the server says so. */
  readonly onProgress?: (loaded: number, total: number | undefined) => void;
  /** Ends a download. */
  readonly signal?: AbortSignal;
  /** A larger file is refused before it fills the memory; 512 MB when left out. */
  readonly maxBytes?: number;
}

const MAX_BYTES = 512e6;

/**
 * Loads a weights file.
 *
 * @throws WeightsError where the server refuses, the file is too large, its hash is another or it does not fit the
 *   network; SafetensorsError where it is damaged
 * @example
 * const bytes = writeWeights({ config: saUNetV2, parameters: initialize(saUNetV2, randomState(1)), metadata: {} });
 * const { config } = await loadWeights(new Blob([bytes]), { onProgress: (loaded) => console.log(loaded > 1e6) }); // true
 * console.log(config.name); // sa-unet-v2
 */
export async function loadWeights(source: WeightsSource, options: LoadWeightsOptions = {}): Promise<Weights> {
  const bytes = await readSource(source, options);
  if (options.sha256 !== undefined) await checkHash(bytes, options.sha256);
  return readWeights(bytes, options.config);
}

async function readSource(source: WeightsSource, options: LoadWeightsOptions): Promise<Uint8Array> {
  const { maxBytes = MAX_BYTES, onProgress, signal } = options;
  const known =
    source instanceof Uint8Array
      ? source
      : source instanceof Blob
        ? await readBlob(source, maxBytes)
        : await readLocal(source);
  if (known === undefined) return download(source as string | URL, options);
  signal?.throwIfAborted();
  expectAtMost(known.length, maxBytes);
  onProgress?.(known.length, known.length);
  return known;
}

async function readBlob(blob: Blob, maxBytes: number): Promise<Uint8Array> {
  expectAtMost(blob.size, maxBytes);
  return new Uint8Array(await blob.arrayBuffer());
}

async function download(
  url: string | URL,
  { maxBytes = MAX_BYTES, onProgress, signal }: LoadWeightsOptions,
): Promise<Uint8Array> {
  const response = await fetch(url, signal === undefined ? {} : { signal });
  if (!response.ok || response.body === null) {
    throw new WeightsError(`weights: ${url} answered ${response.status} ${response.statusText}`.trimEnd());
  }
  // A compressed answer states its compressed length, which says nothing of what arrives here.
  const stated = response.headers.has("content-encoding") ? null : response.headers.get("content-length");
  const total = stated === null ? undefined : Number(stated);
  if (total !== undefined) expectAtMost(total, maxBytes);
  const parts: Uint8Array[] = [];
  let loaded = 0;
  const reader = response.body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    parts.push(next.value);
    loaded += next.value.length;
    if (loaded > maxBytes) await reader.cancel();
    expectAtMost(loaded, maxBytes);
    onProgress?.(loaded, total);
  }
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function expectAtMost(size: number, maxBytes: number): void {
  if (size > maxBytes)
    throw new WeightsError(`weights: the file has ${size} bytes or more; the limit is ${maxBytes}`);
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

// What this host can run, found out by asking it to validate a few bytes; nothing is compiled or started.

import { type FunctionBuilder, type MemorySize, ModuleBuilder } from "./asm/index.ts";

/** Whether the host has something, and if not, why. */
export type Feature = { readonly available: true } | { readonly available: false; readonly reason: string };

/** What the kernels may use here. */
export interface Features {
  /** Vectors of 128 bits: without them nothing is accelerated. */
  readonly simd: Feature;
  /** Multiplication and addition in one instruction, `f32x4.relaxed_madd`. */
  readonly relaxedSimd: Feature;
  /** Copying and filling whole stretches of memory. */
  readonly bulkMemory: Feature;
  /** Memory that several threads share, with atomic instructions. */
  readonly threads: Feature;
}

/** The parts of a host that the probes look at. */
export interface Host {
  readonly WebAssembly?: { validate(bytes: Uint8Array<ArrayBuffer>): boolean };
  readonly SharedArrayBuffer?: unknown;
  /** False in a browser page that may not share memory; absent outside of browsers. */
  readonly crossOriginIsolated?: boolean;
}

/**
 * Finds out what a host has.
 *
 * @param host where to look; default: the running one
 * @example
 * const { simd, threads } = detectFeatures();
 * console.log(simd.available); // true
 * if (!threads.available) console.log(`one thread, since ${threads.reason}`);
 */
export function detectFeatures(host: Host = globalThis): Features {
  const ask = (
    name: string,
    write: (f: FunctionBuilder) => void,
    memory: MemorySize = { initial: 1 },
  ): Feature => {
    if (host.WebAssembly === undefined) return missing("this host has no WebAssembly");
    const m = new ModuleBuilder();
    m.importMemory("env", "memory", memory);
    m.func("probe", { params: {} }, write);
    return host.WebAssembly.validate(m.build())
      ? { available: true }
      : missing(`this host's WebAssembly has no ${name}`);
  };
  return Object.freeze({
    simd: ask("SIMD", ({ v128 }) => v128.store(0, v128.load(0))),
    relaxedSimd: ask("relaxed SIMD", ({ v128, f32x4 }) =>
      v128.store(0, f32x4.relaxed_madd(v128.load(0), v128.load(16), v128.load(32))),
    ),
    bulkMemory: ask("bulk memory instructions", ({ memory }) => memory.copy(0, 16, 16)),
    threads: sharing(host) ?? ask("atomic instructions", ({ i32 }) => i32.atomic.store(0, 1), shared),
  });
}

const shared: MemorySize = { initial: 1, maximum: 1, shared: true };

const missing = (reason: string): Feature => Object.freeze({ available: false, reason });

/** What keeps the host from sharing memory between threads, if anything. */
function sharing(host: Host): Feature | undefined {
  if (host.crossOriginIsolated === false) {
    return missing(
      "this page is not cross-origin isolated (it needs the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp)",
    );
  }
  return host.SharedArrayBuffer === undefined ? missing("this host has no SharedArrayBuffer") : undefined;
}

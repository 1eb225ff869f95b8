// Starting jax-js on its WebAssembly backend, for contenders of any kind. What each uses of it is its own.

import { loadPeer } from "./install.ts";

/** An array, which whoever it is passed to uses up, unless `ref` is passed. */
export interface JaxArray {
  readonly ref: JaxArray;
  data(): Promise<Float32Array>;
}

/** What starting it takes. */
interface JaxDevices {
  init(...devices: string[]): Promise<string[]>;
  defaultDevice(device: string): string;
}

/** @throws Error where the backend does not start */
export async function startJax<J>(): Promise<J> {
  const jax = await loadPeer<J & JaxDevices>("@jax-js/jax");
  if (!(await jax.init("wasm")).includes("wasm")) throw new Error("the wasm backend does not start");
  jax.defaultDevice("wasm");
  return jax;
}

// onnxruntime, native and as WebAssembly, on the graph that @saunet/interop exports.

import { readFile } from "node:fs/promises";
import type { Prepare } from "./contender.ts";
import { loadPeer } from "./install.ts";

/** What is used of onnxruntime-node and onnxruntime-web: they have one API. */
interface Onnxruntime {
  readonly env: { readonly wasm: { numThreads?: number } };
  readonly InferenceSession: {
    create(
      model: Uint8Array,
      options: { intraOpNumThreads: number; interOpNumThreads: number; graphOptimizationLevel: "all" },
    ): Promise<{ run(feeds: { image: unknown }): Promise<{ probability: { data: Float32Array } }> }>;
  };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => unknown;
}

const prepare =
  (load: () => Promise<Onnxruntime>): Prepare =>
  async ({ image, onnx, threads }) => {
    const { env, InferenceSession, Tensor } = await load();
    env.wasm.numThreads = threads;
    const session = await InferenceSession.create(await readFile(onnx), {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: "all",
    });
    const [, H, W, C] = image.shape;
    const planes = new Float32Array(image.size);
    for (let i = 0; i < H * W; i++) for (let c = 0; c < C; c++) planes[c * H * W + i] = image.data[i * C + c];
    return async () => {
      const { probability } = await session.run({ image: new Tensor("float32", planes, [1, C, H, W]) });
      return probability.data;
    };
  };

/** The native library. */
export const onnxruntimeNode: Prepare = prepare(
  async () => (await import("onnxruntime-node")) as unknown as Onnxruntime,
);

/** The WebAssembly build, as Node runs it. */
export const onnxruntimeWeb: Prepare = prepare(() => loadPeer("onnxruntime-web"));

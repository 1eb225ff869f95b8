// Who multiplies matrices, an entry each.

import { add, matmul, noGrad } from "@saunet/core";
import { accelerate } from "@saunet/wasm";
import { loadPeer } from "../contenders/install.ts";
import { type JaxArray, startJax } from "../contenders/jax-start.ts";
import { onnxModel } from "../onnx.ts";
import { allowRelaxedSimd } from "../relaxed.ts";
import type { PrepareProduct } from "./product.ts";

/** A library, or a way to run ours. */
export interface ProductContender {
  readonly name: string;
  readonly threads: readonly number[];
  /** Whether it takes part in the short run. */
  readonly quick: boolean;
  /** The most FLOPs of a product that it is given; any number where it is left out. */
  readonly mostFlops?: number;
  readonly prepare: PrepareProduct;
}

const typescript: PrepareProduct =
  async ({ a, b }) =>
  () =>
    noGrad(() => matmul(a, b)).data;

let accelerated = false;

/** Operator by operator, factors and results in the memory of the kernels. */
const saunet: PrepareProduct = async (factors, threads) => {
  if (!accelerated) {
    allowRelaxedSimd();
    const report = await accelerate({ threads, resident: true });
    if (report.threads !== threads || report.kernels.length === 0) throw new Error(report.reasons.join("; "));
    accelerated = true;
  }
  // Results of operators stay in that memory; tensors that are given do not lie there.
  const [a, b] = noGrad(() => [add(factors.a, 0), add(factors.b, 0)]);
  return () => noGrad(() => matmul(a, b)).data;
};

/** What is used of onnxruntime-node and onnxruntime-web. */
interface Onnxruntime {
  readonly env: { readonly wasm: { numThreads?: number } };
  readonly InferenceSession: {
    create(
      model: Uint8Array,
      options: { intraOpNumThreads: number; interOpNumThreads: number },
    ): Promise<{ run(feeds: { a: unknown; b: unknown }): Promise<{ y: { data: Float32Array } }> }>;
  };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => unknown;
}

const onnxruntime =
  (load: () => Promise<Onnxruntime>): PrepareProduct =>
  async (factors, threads) => {
    const { env, InferenceSession, Tensor } = await load();
    env.wasm.numThreads = threads;
    const session = await InferenceSession.create(onnxModel({ operator: "MatMul", inputs: ["a", "b"] }), {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
    });
    const [a, b] = [factors.a, factors.b].map(({ data, shape }) => new Tensor("float32", data, shape));
    return async () => (await session.run({ a, b })).y.data;
  };

interface TfTensor {
  data(): Promise<Float32Array>;
  dispose(): void;
}

/** What is used of @tensorflow/tfjs-core. */
interface Tf {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tensor(data: Float32Array, shape: readonly number[]): TfTensor;
  matMul(a: TfTensor, b: TfTensor): TfTensor;
}

const tfjs: PrepareProduct = async (factors) => {
  const tf = await loadPeer<Tf>("@tensorflow/tfjs-core");
  await loadPeer("@tensorflow/tfjs-backend-wasm");
  if (!(await tf.setBackend("wasm"))) throw new Error("the wasm backend does not start");
  await tf.ready();
  const [a, b] = [factors.a, factors.b].map(({ data, shape }) => tf.tensor(data, shape));
  return async () => {
    const y = tf.matMul(a, b);
    const result = await y.data();
    y.dispose();
    return result;
  };
};

/** What is used of @jax-js/jax. */
interface Jax {
  readonly numpy: {
    array(data: Float32Array, options: { shape: readonly number[] }): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
  };
}

const jax: PrepareProduct = async (factors) => {
  const { numpy } = await startJax<Jax>();
  const [a, b] = [factors.a, factors.b].map(({ data, shape }) => numpy.array(data.slice(), { shape }));
  return () => numpy.matmul(a.ref, b.ref).data();
};

export const productContenders: readonly ProductContender[] = [
  { name: "saunet-typescript", threads: [1], quick: false, mostFlops: 4e7, prepare: typescript },
  { name: "saunet", threads: [1, 2], quick: true, prepare: saunet },
  {
    name: "onnxruntime-node",
    threads: [1, 2],
    quick: true,
    prepare: onnxruntime(async () => (await import("onnxruntime-node")) as unknown as Onnxruntime),
  },
  {
    name: "onnxruntime-web",
    threads: [1, 2],
    quick: false,
    prepare: onnxruntime(() => loadPeer("onnxruntime-web")),
  },
  { name: "tfjs-wasm", threads: [1], quick: false, prepare: tfjs },
  { name: "jax-js", threads: [1], quick: true, prepare: jax },
];

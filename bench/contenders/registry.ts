// The contenders, a line each. The first is the reference that the outputs of all others are held to.

import type { Contender } from "./contender.ts";
import { jaxModel, jaxTrain } from "./jax.ts";
import { onnxruntimeNode, onnxruntimeWeb } from "./onnxruntime.ts";
import { typescriptModel, typescriptTrain } from "./saunet.ts";
import { tfjsModel, tfjsTrain } from "./tfjs.ts";

export const contenders: readonly Contender[] = [
  { name: "saunet", threads: [1], quick: true, model: typescriptModel, train: typescriptTrain },
  { name: "onnxruntime-node", threads: [1, 2], quick: true, model: onnxruntimeNode },
  { name: "onnxruntime-web", threads: [1, 2], quick: false, model: onnxruntimeWeb },
  { name: "tfjs-wasm", threads: [1], quick: false, model: tfjsModel("wasm"), train: tfjsTrain("wasm") },
  { name: "tfjs-cpu", threads: [1], quick: false, model: tfjsModel("cpu"), train: tfjsTrain("cpu") },
  { name: "jax-js", threads: [1], quick: false, model: jaxModel, train: jaxTrain },
];

/** The name whose times the ratios are taken against. */
export const OURS = "saunet";

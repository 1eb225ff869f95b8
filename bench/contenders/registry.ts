// The contenders, an entry each, the reference first.

import type { Contender } from "./contender.ts";
import { jaxModel, jaxTrain } from "./jax.ts";
import { onnxruntimeNode, onnxruntimeWeb } from "./onnxruntime.ts";
import {
  acceleratedModel,
  acceleratedTrain,
  eagerModel,
  eagerTrain,
  plainModel,
  typescriptModel,
  typescriptTrain,
} from "./saunet.ts";
import { tfjsModel, tfjsTrain } from "./tfjs.ts";

export const contenders: readonly Contender[] = [
  {
    name: "saunet-typescript",
    threads: [1],
    quick: true,
    model: typescriptModel,
    train: typescriptTrain,
  },
  { name: "saunet", threads: [1, 2], quick: true, model: acceleratedModel, train: acceleratedTrain },
  { name: "saunet-plain", threads: [1, 2], quick: true, model: plainModel },
  { name: "saunet-eager", threads: [1, 2], quick: true, model: eagerModel, train: eagerTrain },
  { name: "onnxruntime-node", threads: [1, 2], quick: true, model: onnxruntimeNode },
  { name: "onnxruntime-web", threads: [1, 2], quick: false, model: onnxruntimeWeb },
  { name: "tfjs-wasm", threads: [1], quick: false, model: tfjsModel("wasm"), train: tfjsTrain("wasm") },
  { name: "tfjs-cpu", threads: [1], quick: false, model: tfjsModel("cpu"), train: tfjsTrain("cpu") },
  { name: "jax-js", threads: [1], quick: false, model: jaxModel, train: jaxTrain },
  { name: "openvino", threads: [1, 2], quick: false, python: ["model"] },
  { name: "pytorch", threads: [1, 2], quick: false, python: ["model", "train"] },
  { name: "tensorflow", threads: [1, 2], quick: false, python: ["model", "train"] },
];

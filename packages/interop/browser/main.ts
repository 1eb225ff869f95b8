// What the test in a browser calls.

import { noGrad, sigmoid, Tensor } from "@saunet/core";
import { exportOnnx, importKeras, importTorch, layoutOf } from "@saunet/interop";
import { forward, type LoadWeightsOptions, loadWeights, type Weights } from "@saunet/model";

/** An image `[N,H,W,C]` on its way between the processes. */
export interface Image {
  readonly data: readonly number[];
  readonly shape: readonly number[];
}

/** What the page offers. */
export interface Page {
  /** Imports a file that the server has, and answers an image; or tells the error. */
  takeOver(file: string, image: Image): Promise<{ answer: number[]; onnxBytes: number } | { error: string }>;
  /** Loads weights by URL, and again as a Blob; tells the network's name and the progress, or the error. */
  load(
    url: string,
    options: LoadWeightsOptions,
  ): Promise<{ name: string; progress: unknown[] } | { error: string }>;
}

function answerOf({ config, parameters }: Weights, { data, shape }: Image): number[] {
  const x = new Tensor(Float32Array.from(data), shape);
  return [...noGrad(() => sigmoid(forward(config, parameters, x))).data];
}

const page: Page = {
  async takeOver(file, image) {
    const bytes = new Uint8Array(await (await fetch(file)).arrayBuffer());
    try {
      const imported = layoutOf(bytes) === "torch" ? importTorch(bytes) : await importKeras(bytes);
      return { answer: answerOf(imported, image), onnxBytes: exportOnnx(imported).length };
    } catch (error) {
      return { error: String(error) };
    }
  },
  async load(url, options) {
    const progress: unknown[] = [];
    const onProgress = (loaded: number, total: number | undefined) =>
      void progress.push([loaded, total ?? null]);
    try {
      const { config } = await loadWeights(url, { ...options, onProgress });
      await loadWeights(await (await fetch(url)).blob(), options);
      return { name: config.name, progress };
    } catch (error) {
      return { error: String(error) };
    }
  },
};

Object.assign(globalThis, page);

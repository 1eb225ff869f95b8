// Files of Keras 1, as its own code laid them out, written here with the HDF5 library.

import h5wasm from "h5wasm";
import { describe, expect, it } from "vitest";
import { importKeras } from "./import.ts";

/** A file of weights alone, with one convolution and one normalisation. */
async function keras1(
  attributes: Readonly<Record<string, string>>,
  weights: readonly string[],
): Promise<Uint8Array> {
  const { FS } = await h5wasm.ready;
  const file = new h5wasm.File("/keras1.h5", "w");
  file.create_attribute("layer_names", ["convolution2d_1", "batchnormalization_1"]);
  for (const [name, text] of Object.entries(attributes)) file.create_attribute(name, text);
  for (const layer of ["convolution2d_1", "batchnormalization_1"]) {
    const own = weights.filter((name) => name.startsWith(layer));
    const group = file.create_group(layer);
    group.create_attribute("weight_names", own);
    for (const name of own) group.create_dataset({ name, data: new Float32Array(4), shape: [4] });
  }
  file.close();
  return new Uint8Array(FS.readFile("/keras1.h5"));
}

const named = (...ends: string[]) => ends.map((end) => `batchnormalization_1_${end}`);
const message = "was written by Keras 1, whose layouts differ: load it in Keras 2 and save it again";

describe("importKeras", () => {
  it.each<[string, Record<string, string>, string[]]>([
    ["says its version", { keras_version: "1.2.2" }, ["convolution2d_1_kernel"]],
    ["has filters named W", {}, ["convolution2d_1_W", "convolution2d_1_b"]],
    ["has filters named W by TensorFlow", {}, ["convolution2d_1_W:0", "convolution2d_1_b:0"]],
    ["has running deviations", {}, named("gamma", "beta", "running_mean", "running_std")],
    [
      "describes layers of Keras 1",
      {
        model_config:
          '{"class_name":"Model","config":{"layers":[{"class_name":"Convolution2D","config":{"name":"a"}}]}}',
      },
      ["convolution2d_1_kernel"],
    ],
  ])("names a file of Keras 1 that %s", async (_, attributes, weights) => {
    await expect(importKeras(await keras1(attributes, weights))).rejects.toThrow(message);
  });

  it("does not take other small files for it", async () => {
    const error = importKeras(await keras1({ keras_version: "2.12.0" }, ["convolution2d_1_kernel"]));
    await expect(error).rejects.toThrow(/^is not a sa-unet-v2: it has 0 convolutions, not 18; /);
  });
});

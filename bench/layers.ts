// The kernel calls of one forward pass of the network, layer by layer.

import { noGrad, sigmoid } from "@saunet/core";
import { type FlatArray, intercept } from "@saunet/core/kernels";
import { forward } from "@saunet/model";
import { makeInputs } from "./inputs.ts";
import type { Options } from "./options.ts";
import { sizeOf } from "./options.ts";
import { type Part, timeParts } from "./parts.ts";
import type { Results } from "./results.ts";

/** Times every kernel call of a forward pass. */
export async function layers(options: Options): Promise<Results> {
  const [height, width] = sizeOf(options, 592);
  const { config, parameters, image } = makeInputs(height, width);
  const owners = new Map<FlatArray | undefined, string>(
    Object.entries(parameters).map(([name, { data }]) => [data, name.slice(0, name.lastIndexOf("."))]),
  );
  const parts: Part[] = [];
  let shape = "";
  noGrad(() =>
    intercept(
      ({ kernel, arrays, dims, run }) => {
        run();
        const owner = Object.values(arrays).find((array) => owners.has(array));
        shape = owners.get(owner) ?? shape;
        parts.push({ shape, kernel, arrays, dims });
      },
      () => sigmoid(forward(config, parameters, image)),
    ),
  );
  const results = await timeParts("layers", parts, options, { roads: true });
  return { ...results, input: [height, width, config.inputChannels] };
}

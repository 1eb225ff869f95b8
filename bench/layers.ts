// The kernel calls of one forward pass of the network, layer by layer.

import { noGrad, sigmoid } from "@saunet/core";
import { type FlatArray, intercept } from "@saunet/core/kernels";
import { forward } from "@saunet/model";
import { restore } from "@saunet/wasm";
import { ABOUT_INPUTS, makeInputs } from "./inputs.ts";
import { accelerateParts, type Part, timePart } from "./parts.ts";
import type { Open } from "./session.ts";
import { sizeOf } from "./settings.ts";

/** Opens the bench: a unit a kernel call. */
export const openLayers: Open = async (settings) => {
  const [height, width] = sizeOf(settings, 592);
  const { config, parameters, image } = makeInputs(height, width);
  const owners = new Map<FlatArray | undefined, string>(
    Object.entries(parameters).map(([name, { data }]) => [data, name.slice(0, name.lastIndexOf("."))]),
  );
  const parts: Part[] = [];
  const calls = new Map<string, number>();
  let layer = "";
  noGrad(() =>
    intercept(
      ({ kernel, arrays, dims, run }) => {
        run();
        layer = owners.get(Object.values(arrays).find((array) => owners.has(array))) ?? layer;
        const label = `${layer} ${kernel.name}`;
        const nth = (calls.get(label) ?? 0) + 1;
        calls.set(label, nth);
        parts.push({ shape: nth === 1 ? layer : `${layer} (${nth})`, kernel, arrays, dims });
      },
      () => sigmoid(forward(config, parameters, image)),
    ),
  );
  const acceleration = await accelerateParts(settings.threads[0]);
  return {
    units: parts.map(({ shape, kernel }) => `${shape} ${kernel.name}`),
    input: [height, width, config.inputChannels],
    about: ABOUT_INPUTS,
    measure: (unit, without) => timePart(parts[unit], acceleration, { without }, settings),
    end: () => void restore(),
  };
};

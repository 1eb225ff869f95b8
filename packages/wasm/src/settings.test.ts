// Settings that only networks from PyTorch have, with generated kernels: as core runs them.

import { normal, prepare, randomState, sigmoid, zeros } from "@saunet/core";
import { expectClose } from "@saunet/core/testing";
import { captureInference, forward, initialize, saUNet, saUNetV2 } from "@saunet/model";
import { afterEach, describe, expect, it } from "vitest";
import { accelerate, restore } from "./accelerate.ts";

describe("a network with PyTorch's padding and epsilon", () => {
  afterEach(restore);

  it.each([saUNetV2, saUNet])("computes what core computes: $name", async (published) => {
    const config = { ...published, transposedPadding: 1, epsilon: 1e-5 } as const;
    const parameters = initialize(config, randomState(1));
    const x = normal([2, 48, 64, 3], randomState(2));
    const wanted = sigmoid(forward(config, parameters, x));
    await accelerate({ threads: 2 });
    expectClose(sigmoid(forward(config, parameters, x)), wanted, 2e-5);
    const runnable = prepare(captureInference({ config, parameters }, zeros(x.shape)));
    const [captured] = await runnable.run([x]);
    expectClose(captured, wanted, 2e-5);
    runnable.release();
    expect(wanted.data.some((value) => value > 0.6)).toBe(true);
  });
});

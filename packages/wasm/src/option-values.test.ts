// Code is kept by what it was made for: a call with another value of an option must not be given that of the call before.

import {
  batchNorm,
  clip,
  groupNorm,
  layerNorm,
  leakyRelu,
  normal,
  ones,
  pow,
  randomState,
  type Tensor,
  zeros,
} from "@saunet/core";
import { relativeError } from "@saunet/core/testing";
import { afterEach, expect, it } from "vitest";
import { accelerate, restore } from "./accelerate.ts";

const x = normal([2, 32, 32, 16], randomState(1));
const [gamma, beta] = [normal([16], randomState(2)), normal([16], randomState(3))];
const running = () => ({ mean: zeros([16]), variance: ones([16]) });

const calls: Readonly<Record<string, (value: number) => Tensor>> = {
  "layerNorm, epsilon": (epsilon) => layerNorm(x, gamma, beta, { epsilon }),
  "groupNorm, epsilon": (epsilon) => groupNorm(x, gamma, beta, { groups: 4, epsilon }),
  "batchNorm, epsilon": (epsilon) => batchNorm(x, gamma, beta, running(), { training: false, epsilon }),
  "batchNorm in training, epsilon": (epsilon) =>
    batchNorm(x, gamma, beta, running(), { training: true, epsilon }),
  "leakyRelu, slope": (slope) => leakyRelu(x, { slope }),
  "clip, min": (min) => clip(x, { min: -min }),
  "clip, max": (max) => clip(x, { max }),
  "pow, exponent": (exponent) => pow(clip(x, { min: 0.1 }), exponent),
};

afterEach(restore);

it.each(Object.keys(calls))("each value has code of its own: %s", async (name) => {
  const values = [0.5, 0.25, 0.75];
  const wanted = values.map(calls[name]);
  await accelerate({ threads: 1 });
  for (const [i, value] of values.entries())
    expect(relativeError(calls[name](value).data, wanted[i].data), `${value}`).toBeLessThan(1e-5);
  expect(relativeError(wanted[0].data, wanted[1].data)).toBeGreaterThan(1e-3);
});

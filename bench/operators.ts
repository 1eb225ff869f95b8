// The kernels of single operators, forward and backward, on one map: a line an operator.

import {
  add,
  backward,
  gelu,
  layerNorm,
  leakyRelu,
  minimum,
  normal,
  ones,
  parameter,
  randomState,
  silu,
  softmax,
  type Tensor,
  zeros,
} from "@saunet/core";
import { copyOfGradient, intercept } from "@saunet/core/kernels";
import { restore } from "@saunet/wasm";
import { distinct } from "./distinct.ts";
import { accelerateParts, type Part, timePart } from "./parts.ts";
import type { Open } from "./session.ts";
import { sizeOf } from "./settings.ts";
import { oneOf } from "./usage.ts";

const CHANNELS = 16;

/** What is timed: operators of one map, or of two. */
const operators: Readonly<Record<string, (x: Tensor, other: Tensor) => Tensor>> = {
  add: (x, other) => add(x, other),
  minimum: (x, other) => minimum(x, other),
  silu: (x) => silu(x),
  leakyRelu: (x) => leakyRelu(x),
  gelu: (x) => gelu(x),
  softmax: (x) => softmax(x),
  layerNorm: (x) => layerNorm(x, ones([CHANNELS]), zeros([CHANNELS])),
};

/** Opens the bench on the operators that are named, or all of them, on `[1,H,W,16]`: a unit a kernel call. */
export const openOperators: Open = async (settings) => {
  const [height, width] = sizeOf(settings, 592);
  const random = randomState(1);
  const map = () => normal([1, height, width, CHANNELS], random);
  const valid = Object.keys(operators);
  const chosen = settings.operands.length > 0 ? settings.operands : valid;
  const parts = chosen.flatMap((name) => {
    const operator = operators[oneOf("operator", name, valid)];
    const own: Part[] = [];
    const [x, other, gy] = [parameter(map()), parameter(map()), map()];
    intercept(
      ({ kernel, arrays, dims, run }) => {
        run();
        if (kernel !== copyOfGradient) own.push({ shape: name, kernel, arrays, dims });
      },
      () => backward(operator(x, other), gy),
    );
    return own;
  });
  const acceleration = await accelerateParts(settings.threads[0]);
  return {
    units: distinct(parts.map(({ shape, kernel }) => `${shape} ${kernel.name}`)),
    input: [height, width, CHANNELS],
    measure: (unit, without) => timePart(parts[unit], acceleration, { without }, settings),
    end: () => void restore(),
  };
};

import { describe, expect, it } from "vitest";
import { adam, sgd } from "../optimizers.ts";
import { randomState } from "../random.ts";
import { ones, zeros } from "../tensor.ts";
import { avgPool2d } from "./avg-pool2d.ts";
import { batchNorm } from "./batch-norm.ts";
import { convTranspose2d } from "./conv-transpose2d.ts";
import { conv1d } from "./conv1d.ts";
import { conv2d } from "./conv2d.ts";
import { cumsum } from "./cumsum.ts";
import { dropBlock } from "./drop-block.ts";
import { dropout } from "./dropout.ts";
import { gelu } from "./gelu.ts";
import { groupNorm } from "./group-norm.ts";
import { layerNorm } from "./layer-norm.ts";
import { leakyRelu } from "./leaky-relu.ts";
import { matmul } from "./matmul.ts";
import { maxPool2d } from "./max-pool2d.ts";
import { norm } from "./norm.ts";
import { resize } from "./resize.ts";
import { softmaxCrossEntropy } from "./softmax-cross-entropy.ts";
import { mean, sum } from "./sum.ts";
import { clip } from "./unary.ts";

describe("an option that there is not", () => {
  const x = zeros([1, 2, 2, 1]);
  const filter = zeros([1, 1, 1, 1]);
  const row = zeros([1, 2, 1]);
  const one = ones([1]);
  const random = randomState(1);
  const running = { mean: zeros([1]), variance: ones([1]) };
  it.each<[name: string, call: (options: never) => unknown]>([
    ["avgPool2d", (options) => avgPool2d(x, options)],
    ["batchNorm", (options) => batchNorm(x, one, one, running, options)],
    ["clip", (options) => clip(x, options)],
    ["conv1d", (options) => conv1d(row, zeros([1, 1, 1]), undefined, options)],
    ["conv2d", (options) => conv2d(x, filter, undefined, options)],
    ["convTranspose2d", (options) => convTranspose2d(x, filter, undefined, options)],
    ["cumsum", (options) => cumsum(x, -1, options)],
    ["dropBlock", (options) => dropBlock(x, random, options)],
    ["dropout", (options) => dropout(x, random, options)],
    ["gelu", (options) => gelu(x, options)],
    ["groupNorm", (options) => groupNorm(x, one, one, options)],
    ["layerNorm", (options) => layerNorm(x, one, one, options)],
    ["leakyRelu", (options) => leakyRelu(x, options)],
    ["matmul", (options) => matmul(row, row, options)],
    ["maxPool2d", (options) => maxPool2d(x, options)],
    ["mean", (options) => mean(x, options)],
    ["norm", (options) => norm(x, options)],
    ["resize", (options) => resize(x, [2, 2], options)],
    ["softmaxCrossEntropy", (options) => softmaxCrossEntropy(row, zeros([1, 2]), options)],
    ["sum", (options) => sum(x, options)],
    ["adam", (options) => adam({ one }, options)],
    ["sgd", (options) => sgd({ one }, options)],
  ])("of %s is an error that names both", (name, call) => {
    expect(() => call({ colour: 1 } as never)).toThrow(
      new RegExp(`^${name}: there is no option colour; the options are \\w`),
    );
    expect(() => call([] as never)).toThrow(new RegExp(`^${name}: options must be a record such as \\{ \\w`));
  });
});

// What TypeScript refuses and JavaScript does not: every operator says what is wrong.

import { describe, expect, it } from "vitest";
import * as core from "../index.ts";
import { tensor } from "../tensor.ts";

describe("what JavaScript callers may do", () => {
  const x = tensor([[1, 2]]);
  const w = core.parameter(tensor([1]));
  const [image, filter] = [core.ones([1, 2, 2, 1]), core.ones([1, 1, 1, 1])];
  const loose = core as unknown as Record<string, (...args: unknown[]) => unknown>;

  it.each([
    ..."relu sigmoid silu leakyRelu gelu neg exp log sqrt abs tanh clip sum mean max variance norm reshape transpose".split(
      " ",
    ),
    ..."slice pad squeeze expandDims split cumsum softmax logSoftmax argmax maxPool2d avgPool2d".split(" "),
  ])("%s says so where x is no tensor", (op) => {
    for (const wrong of [undefined, [1, 2], "1", new Float32Array(2)])
      expect(() => loose[op](wrong, op === "clip" ? {} : [0], [0])).toThrow(
        new RegExp(`^${op}: (x must be a tensor or a number but is|options must be)`),
      );
  });

  it.each([
    [
      "sum",
      [x, { axis: 0 }],
      "sum: there is no option axis; the options are axes, keepDims; axes may be meant",
    ],
    ["mean", [x, { axis: 0 }], "mean: there is no option axis"],
    [
      "max",
      [x, { keepdims: true }],
      "max: there is no option keepdims; the options are axes, keepDims; keepDims may be meant",
    ],
    ["softmax", [x, { axis: 0 }], "softmax: an axis must be an integer but is object"],
    ["cumsum", [x, "0"], "cumsum: an axis must be an integer but is string"],
    ["variance", [x, 1], "variance: options must be a record such as { axes: … } but is number"],
    ["clip", [x, 0, 1], "clip: options must be a record such as { min: … } but is number"],
    [
      "maxPool2d",
      [x, { pool: 2 }],
      "maxPool2d: there is no option pool; the options are size, stride, padding",
    ],
    ["avgPool2d", [x, [2, 2]], "avgPool2d: options must be a record such as { size: … } but is Array"],
    ["groupNorm", [x, x, x], "groupNorm: options must be a record such as { groups: … } but is undefined"],
    ["resize", [x, [2, 2], { kind: "nearest" }], "resize: there is no option kind; the options are method"],
    ["dropout", [x, core.randomState(1), { p: 0.5 }], "dropout: there is no option p; the options are rate"],
    ["convTranspose2d", [x, x, undefined, { groups: 2 }], "convTranspose2d: there is no option groups"],
    ["conv2d", [undefined, x], "conv2d: x must be a tensor or a number but is undefined"],
    ["conv2d", [x, [1]], "conv2d: w must be a tensor or a number but is an Array"],
    ["conv2d", [image, filter, null], "conv2d: b must be a tensor or a number but is"],
    ["conv2d", [image, filter, { stride: 2 }], "conv2d: b must be a tensor or a"],
    ["pow", [x, "2"], "pow: exponent must be a number but is string"],
    ["pow", [x], "pow: exponent must be a number but is undefined"],
    ["backward", [[1]], "backward: loss must be a tensor or a number but is an Array"],
    ["backward", [x, [1]], "backward: gradient must be a tensor or a number but is an Array"],
    ["adam", [[w]], "adam: parameters must be a record such as { w } but is a list"],
    ["adam", [w], "adam: parameters must be a record such as { w } but is object"],
    ["adam", [], "adam: parameters must be a record such as { w } but is undefined"],
    ["adam", [{ w, bias: [1] }], "adam: bias must be a tensor or a number but is an Array"],
    ["sgd", [{ x }], "sgd: none of x learns; parameter() makes tensors that do"],
    [
      "sgd",
      [{ w }, { lr: 0.1 }],
      "sgd: there is no option lr; the options are learningRate, momentum, nesterov",
    ],
    ["adam", [{ w }, { learning_rate: 0.1 }], "; learningRate may be meant"],
    [
      "conv2d",
      [image, filter, undefined, { padding: "SAME" }],
      'conv2d: padding must be "same", "valid", a number',
    ],
    [
      "conv2d",
      [image, filter, undefined, { padding: null }],
      'conv2d: padding must be "same", "valid", a number',
    ],
    [
      "conv1d",
      [core.ones([1, 2, 1]), core.ones([1, 1, 1]), undefined, { padding: null }],
      "conv1d: padding must be",
    ],
    ["sum", [x, { axes: "1" }], "sum: axes must be a list but is string"],
    ["reshape", [x, 2], "reshape: shape must be a list but is number"],
    ["transpose", [x, 1], "transpose: permutation must be a list but is number"],
    ["slice", [x, 0, 1], "slice: begin must be a list but is number"],
    ["pad", [x, 1], "pad: paddings must be a list but is number"],
    ["broadcastTo", [x, 2], "broadcastTo: shape must be a list but is number"],
    ["resize", [image, 4], "resize: size must be a list but is number"],
    ["concat", [x, 0], "concat: tensors must be a list but is object"],
    ["concat", [[x, 3], 0], "concat: tensor 1 must be a tensor but is 3"],
    ["stack", [[x, [1]]], "stack: tensor 1 must be a tensor or a number but is an Array"],
    ["sigmoidCrossEntropy", [x], "sigmoidCrossEntropy: target must be a tensor or a number but is undefined"],
  ])("%s says what is wrong in %j", (op, args, message) => {
    expect(() => loose[op](...args)).toThrow(message);
  });
});

import { Tensor } from "@saunet/core";
import {
  conv2dDims,
  conv2dFilterGradient,
  conv2dForward,
  conv2dTransposed,
  type Floats,
} from "@saunet/core/kernels";
import { beforeAll, describe, expect, it, test } from "vitest";
import { typescriptModel } from "./contenders/saunet.ts";
import { makeInputs } from "./inputs.ts";
import { makeOperands } from "./operands.ts";
import { whyWrong, whyWrongNetwork } from "./race.ts";
import { errorOfGradients, errorOfOutputs, GRADIENT_TOLERANCE, TOLERANCE } from "./verify.ts";

const d = conv2dDims("conv2d", [1, 24, 20, 8], [3, 3, 8, 12]);
const { x, w, gy } = makeOperands(d);

/** What each kernel gives, and how many channels it has. The transposed one's numbers are some thousandths. */
const outputs: readonly (readonly [string, Float32Array, number])[] = [
  ["conv2d.forward", computed(gy.length, (y) => conv2dForward.reference({ y, x, w }, d)), d.O],
  [
    "conv2d.transposed",
    computed(x.length, (out) => conv2dTransposed.reference({ x: out, y: gy, w }, d)),
    d.C,
  ],
  [
    "conv2d.filterGradient",
    computed(w.length, (gw) => conv2dFilterGradient.reference({ gw, x, gy }, d)),
    d.O,
  ],
];

function computed(length: number, run: (out: Floats) => void): Float32Array {
  const out = new Float32Array(length);
  run(out);
  return out;
}

const swapped = (values: Float32Array, channels: number): Float32Array =>
  values.map((_, i) => {
    const channel = i % channels;
    return values[channel < 2 ? i + 1 - 2 * channel : i];
  });

describe.each(outputs)("what %s gives", (_, right, channels) => {
  const isRight = (found: Float32Array) => errorOfOutputs([found], [right]) <= TOLERANCE;

  it("passes as it is, and rounded a little", () => {
    expect(isRight(right)).toBe(true);
    expect(isRight(right.map((value) => value * (1 + 1e-5)))).toBe(true);
  });

  it.each<[string, (values: Float32Array) => Float32Array]>([
    ["1.01 times as large", (values) => values.map((value) => value * 1.01)],
    [
      "with one pixel of its neighbour's",
      (values) => values.map((_, i) => values[i < channels ? i + channels : i]),
    ],
    ["with two channels exchanged", (values) => swapped(values, channels)],
    ["all zero", (values) => values.map(() => 0)],
    ["without its last number", (values) => values.slice(0, -1)],
    ["with a NaN", (values) => values.map((value, i) => (i === 7 ? Number.NaN : value))],
  ])("is refused %s", (_name, mutate) => {
    expect(isRight(mutate(right))).toBe(false);
  });
});

describe("a step of training", () => {
  const moments = [
    x.map((value) => value * 0.01),
    w.map((value) => value * 1e-4),
    gy.map((value) => value * 1e-7),
  ];
  const reference = { output: Float32Array.of(0.7, 0.69), moments };
  const changed = (which: number, factor: number) => ({
    ...reference,
    moments: moments.map((each, i) => (i === which ? each.map((value) => value * factor) : each)),
  });

  it("passes as it is", () => {
    expect(whyWrong(reference, reference)).toBeUndefined();
    expect(whyWrong(changed(0, 1.0001), reference)).toBeUndefined();
  });

  it("is refused for gradients of another size, though its losses are right", () => {
    for (const which of [0, 1])
      for (const factor of [3, 1.01, 0])
        expect(whyWrong(changed(which, factor), reference)).toMatch(/^a gradient differs by/);
    expect(whyWrong({ ...reference, moments: moments.slice(1) }, reference)).toMatch(/^a gradient/);
  });

  it("is not refused for the rounding of a gradient that is nearly nothing", () => {
    expect(whyWrong(changed(2, 1.5), reference)).toBeUndefined();
  });

  it("is refused for another loss", () => {
    const other = { ...reference, output: Float32Array.of(0.7, 0.6901 * 1.001) };
    expect(whyWrong(other, reference)).toMatch(/^its output differs by/);
  });
});

describe("the whole network", () => {
  const inputs = makeInputs(64, 64);
  const answer = async (parameters = inputs.parameters) =>
    (await typescriptModel({ ...inputs, parameters, onnx: "", threads: 1 }))();
  let right: Float32Array;
  beforeAll(async () => {
    right = await answer();
  });

  it("is right within the rounding of libraries, a few pixels of it large", () => {
    expect(whyWrongNetwork(right, right)).toBeUndefined();
    const rounded = right.map((value, i) => value + (i % 500 === 0 ? 4e-3 : 5e-5));
    expect(whyWrongNetwork(rounded, right)).toBeUndefined();
  });

  it.each(["head.filter", "encoder1.norm2.gamma", "decoder2.up.filter", "decoder1.norm2.gamma"])(
    "is refused where %s is 1.01 times as large",
    async (name) => {
      const { data, shape } = inputs.parameters[name];
      const larger = new Tensor(
        data.map((value) => value * 1.01),
        shape,
      );
      const found = await answer({ ...inputs.parameters, [name]: larger });
      expect(whyWrongNetwork(found, right)).toMatch(/^its output differs by/);
    },
  );

  it("is refused for one wrong pixel, another length, or no number", () => {
    const other = right.slice();
    other[100] += 0.02;
    expect(whyWrongNetwork(other, right)).toMatch(/^its output differs by 2.0e-2, 2.0 times/);
    expect(whyWrongNetwork(right.subarray(1), right)).toMatch(/^its output/);
    expect(
      whyWrongNetwork(
        right.map(() => Number.NaN),
        right,
      ),
    ).toMatch(/^its output/);
  });
});

test("nothing at all is told from nothing", () => {
  expect(errorOfOutputs([Float32Array.of(0.1)], [Float32Array.of(0)])).toBeGreaterThan(TOLERANCE);
  expect(errorOfGradients([Float32Array.of(0)], [Float32Array.of(0)])).toBeLessThan(GRADIENT_TOLERANCE);
});

import {
  type DropBlockOptions,
  dropBlock,
  noGrad,
  randomState,
  sigmoid,
  Tensor,
  uniform,
  writeSafetensors,
  zeros,
} from "@saunet/core";
import { expectClose } from "@saunet/core/testing";
import { describe, expect, it } from "vitest";
import { ablation, networks, saUNet, saUNetV2, uNet } from "./config.ts";
import { inspectNetwork } from "./inspect.ts";
import { forward } from "./network.ts";
import { countParameters, initialize } from "./parameters.ts";
import { readWeights, writeWeights } from "./weights.ts";

describe("the family", () => {
  it("has the paper's parameter counts", () => {
    expect(countParameters(saUNetV2)).toBe(260_521);
    expect(countParameters(saUNet)).toBe(538_707);
    const trainable = Object.values(initialize(saUNet, randomState(1))).filter((entry) => entry.requiresGrad);
    expect(trainable.reduce((count, { size }) => count + size, 0)).toBe(537_299);
  });

  it("has the paper's FLOPs at 592x592", () => {
    const { flops, parameters, layers } = inspectNetwork(saUNetV2, { height: 592, width: 592 });
    expect(flops / 1e9).toBeCloseTo(21.19, 2);
    expect(parameters).toBe(260_521);
    expect(layers.reduce((sum, layer) => sum + layer.parameters, 0)).toBe(260_521);
    expect(layers[0]).toMatchObject({ layer: "encoder1.conv1", op: "conv2d", shape: [1, 592, 592, 16] });
    expect(layers.at(-1)).toMatchObject({ layer: "head", shape: [1, 592, 592, 1] });
  });

  it.each(Object.entries(networks))("%s runs, trains and round-trips", (_, config) => {
    const parameters = initialize(config, randomState(1));
    const x = uniform([2, 16, 24, 3], randomState(2));
    const random = randomState(3);
    const trained = noGrad(() => forward(config, parameters, x, { training: true, random }));
    const inferred = noGrad(() => forward(config, parameters, x));
    for (const { shape, data } of [trained, inferred]) {
      expect(shape).toEqual([2, 16, 24, 1]);
      expect(data.every(Number.isFinite)).toBe(true);
    }
    const reread = readWeights(writeWeights({ config, parameters, metadata: {} }));
    expect(reread.config).toEqual(config);
    expect(noGrad(() => forward(reread.config, reread.parameters, x)).data).toEqual(inferred.data);
    for (const [name, { requiresGrad }] of Object.entries(reread.parameters))
      expect(requiresGrad, name).toBe(parameters[name].requiresGrad);
  });

  it("names every row of the ablation differently", () => {
    expect(new Set(ablation.map(({ name }) => name)).size).toBe(5);
    expect(countParameters(uNet)).toBe(countParameters(saUNet) - 98);
  });

  it("lets images of a batch alone", () => {
    const parameters = initialize(saUNetV2, randomState(1));
    const x = uniform([2, 16, 16, 3], randomState(2));
    const second = new Tensor(x.data.slice(16 * 16 * 3), [1, 16, 16, 3]);
    const [both, alone] = [x, second].map((input) =>
      noGrad(() => sigmoid(forward(saUNetV2, parameters, input))),
    );
    expect(both.data.slice(256)).toEqual(alone.data);
  });

  it("pads its transposed convolutions at either end: turned by 180 degrees, one end is the other", () => {
    const turned = ({ data, shape }: Tensor, [height, width]: readonly number[]): Tensor => {
      const inner = data.length / (height * width);
      const out = new Float32Array(data.length);
      for (let i = 0; i < height * width; i++) {
        out.set(data.slice(i * inner, (i + 1) * inner), (height * width - 1 - i) * inner);
      }
      return new Tensor(out, shape);
    };
    const [keras, pytorch] = ([0, 1] as const).map((transposedPadding) => ({
      ...saUNetV2,
      channels: [8, 16, 24],
      transposedPadding,
    }));
    const parameters = initialize(keras, randomState(1));
    const turnedParameters = Object.fromEntries(
      Object.entries(parameters).map(([name, entry]) => [
        name,
        entry.shape.length === 4 ? turned(entry, entry.shape) : entry,
      ]),
    );
    const x = uniform([1, 16, 24, 3], randomState(2));
    const wanted = noGrad(() => forward(keras, parameters, x));
    const found = noGrad(() => forward(pytorch, turnedParameters, turned(x, [16, 24])));
    expectClose(turned(found, [16, 24]), wanted, 1e-5);
    // They differ, and not by rounding.
    const other = noGrad(() => forward(pytorch, parameters, x));
    expect(Math.max(...other.data.map((value, i) => Math.abs(value - wanted.data[i])))).toBeGreaterThan(1e-3);
  });

  it("drops blocks in training alone, after each convolution of its stages, with the rate and size of its description", () => {
    const dropBlockOf = (rate: number) => ({ ...saUNetV2, dropBlock: { rate, size: 3 } });
    const parameters = initialize(saUNetV2, randomState(1));
    const x = uniform([1, 16, 16, 3], randomState(2));
    const called: DropBlockOptions[] = [];
    const [own, random] = [randomState(3), randomState(3)];
    const drop = (f: Tensor, options: DropBlockOptions) => {
      called.push(options);
      return dropBlock(f, own, options);
    };
    const config = dropBlockOf(0.3);
    const [given, drawn] = noGrad(() => [
      forward(config, parameters, x, { training: true, drop }),
      forward(config, parameters, x, { training: true, random }),
    ]);
    expect(called).toEqual(Array(14).fill({ rate: 0.3, blockSize: 3 }));
    expect(drawn.data).toEqual(given.data);
    const without = noGrad(() => forward(dropBlockOf(0), parameters, x, { training: true, random }));
    expect(random).toEqual(own);
    expect(without.data).not.toEqual(drawn.data);
    expect(without.data).toEqual(noGrad(() => forward(config, parameters, x)).data);
  });

  it("refuses sizes that it cannot halve, other channels, and other axes", () => {
    const parameters = initialize(saUNetV2, randomState(1));
    expect(() => forward(saUNetV2, parameters, zeros([1, 16, 16, 3, 1]))).toThrow(
      "sa-unet-v2: x must be [N,H,W,3] but is [1,16,16,3,1]",
    );
    expect(() => forward(saUNetV2, parameters, zeros([1, 20, 16, 3]))).toThrow(
      "sa-unet-v2: height and width of x [1,20,16,3] must be multiples of 8",
    );
    expect(() => forward(saUNetV2, parameters, zeros([1, 16, 16, 1]))).toThrow(
      "x must be [N,H,W,3] but is [1,16,16,1]",
    );
  });
});

describe("initialize", () => {
  /** The bound that no start of a filter passes: Glorot's limit, or two of He's deviations. */
  const bounds = {
    "glorot-uniform": ([KH, KW, from, to]: readonly number[]) => Math.sqrt(6 / (KH * KW * (from + to))),
    "he-normal": ([KH, KW, from]: readonly number[]) =>
      (2 * Math.sqrt(2 / (KH * KW * from))) / 0.87962566103423978,
  };
  // clguo/SA-UNet: SA_UNet.py, Spatial_Attention.py; clguo/SA-UNetv2: sa-unetv2-for-drive.ipynb.
  it.each<[string, keyof typeof bounds, keyof typeof bounds]>([
    ["sa-unet", "glorot-uniform", "glorot-uniform"],
    ["u-net", "glorot-uniform", "glorot-uniform"],
    ["sa-unet+gn+silu", "he-normal", "he-normal"],
    ["sa-unet-v2", "he-normal", "glorot-uniform"],
  ])("starts %s as its authors do", (name, convolution, transposed) => {
    for (const [path, { data, shape }] of Object.entries(initialize(networks[name], randomState(1)))) {
      if (!path.endsWith(".filter")) continue;
      const attention = path.includes("attention") && "he-normal";
      const bound = bounds[attention || (path.includes(".up.") ? transposed : convolution)](shape);
      const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      // Of so many draws, one comes near to the bound.
      const share = data.length > 500 ? 0.9 : 0.5;
      expect(largest / bound, path).toBeLessThanOrEqual(1.000001);
      expect(largest / bound, path).toBeGreaterThan(share);
    }
  });
});

describe("weights", () => {
  const parameters = initialize(saUNetV2, randomState(1));
  const bytes = (changed: Record<string, Tensor | undefined>) => {
    const entries = Object.entries({ ...parameters, ...changed }).filter(([, value]) => value !== undefined);
    const network = JSON.stringify(saUNetV2);
    return writeSafetensors(Object.fromEntries(entries) as Record<string, Tensor>, { network });
  };

  it("names whatever is missing, left over or of another shape", () => {
    expect(() => readWeights(bytes({ "head.bias": undefined }))).toThrow(
      "not a sa-unet-v2: head.bias is missing",
    );
    expect(() => readWeights(bytes({ extra: zeros([1]) }))).toThrow('"extra" belongs to no layer');
    expect(() => readWeights(bytes({ "head.bias": zeros([2]) }))).toThrow("head.bias must be [1] but is [2]");
    const other = writeWeights({
      config: saUNet,
      parameters: initialize(saUNet, randomState(1)),
      metadata: {},
    });
    expect(() => readWeights(other, saUNetV2)).toThrow(/not a sa-unet-v2: .*; and \d+ more$/);
  });

  it("refuses a description that it does not understand", () => {
    const network = JSON.stringify({ ...saUNetV2, channels: [1e9] });
    expect(() => readWeights(writeSafetensors(parameters, { network }))).toThrow("is not understood");
  });

  it("keeps what the file says of itself", () => {
    const file = writeWeights({ config: saUNetV2, parameters, metadata: { licence: "MIT" } });
    expect(readWeights(file).metadata).toEqual({ licence: "MIT" });
  });
});

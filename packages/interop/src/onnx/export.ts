// The networks of this project as ONNX graphs, from photograph to probability.
//
//   image [N,3,H,W], RGB, 0 … 1   →   probability [N,1,H,W]
//
// ONNX has channels before rows. What that changes in the parameters, once and here:
//
//   filter              [KH,KW,Cin,Cout] → [Cout,Cin,KH,KW]
//   transposed filter   [KH,KW,Cout,Cin] → [Cin,Cout,KH,KW]
//
// TensorFlow's SAME is said in numbers, since ONNX's own SAME_LOWER and SAME_UPPER have been read differently by
// different runtimes. A transposed 3x3 filter with stride 2 puts input i on outputs 2i … 2i+2 and drops what lies
// past 2n - 1: pads of 0 before and 1 after (the other way round for networks that PyTorch's padding=1 trained).
//
// Group normalisation is written with operators that every runtime has: [N,C,H,W] is seen as [N,G,C/G·H·W],
// normalised by InstanceNormalization and brought back; scale and shift follow by channel. (GroupNormalization
// itself came with opset 21, with another meaning of scale and shift in opset 18.)

import type { Shape } from "@saunet/core";
import {
  DEFAULT_THRESHOLD,
  depthOf,
  expectOneOutput,
  parametersFrom,
  sizeMultiple,
  type Weights,
} from "@saunet/model";
import { permute } from "../permute.ts";
import { GraphBuilder } from "./graph.ts";
import { ElementType, encodeModel, type ValueInfoProto } from "./schema.ts";

/** What to leave open and what to fix in the file. */
export interface OnnxOptions {
  /** The version of ONNX's operators, 13 … 21; default 17. */
  readonly opset?: number;
  /** Images at once; default: left open (`"N"`). */
  readonly batch?: number;
  /** Rows of an image, a multiple of 8 for three poolings; default: left open (`"H"`). */
  readonly height?: number;
  /** Columns of an image, likewise; `"W"`. */
  readonly width?: number;
}

const OLDEST_OPSET = 13;
const NEWEST_OPSET = 21;
/** From here on ReduceMean and ReduceMax take their axes as an input. */
const OPSET_OF_AXES_AS_INPUT = 18;

/**
 * Writes a network as an ONNX file: input `image [N,3,H,W]`, RGB in 0 … 1, output `probability [N,1,H,W]`. Rows and
 * columns must be multiples of 8 (see {@link sizeMultiple}); pad with black. The file's metadata names the network,
 * the normalisation of its input and the threshold from which a pixel is a vessel.
 *
 * @throws RangeError on an opset outside 13 … 21 or a size the network does not take; WeightsError where the
 * parameters do not belong to the network, or it tells classes apart
 * @example
 * const parameters = initialize(saUNetV2, randomState(1));
 * const bytes = exportOnnx({ config: saUNetV2, parameters, metadata: {} }, { height: 592, width: 592 });
 * console.log(bytes.length > 1_000_000); // true
 */
export function exportOnnx(weights: Weights, options: OnnxOptions = {}): Uint8Array {
  const { config, metadata } = weights;
  expectOneOutput("exportOnnx", config);
  const { opset = 17, batch, height, width } = options;
  if (!Number.isInteger(opset) || opset < OLDEST_OPSET || opset > NEWEST_OPSET) {
    throw new RangeError(
      `exportOnnx: opset must be an integer from ${OLDEST_OPSET} to ${NEWEST_OPSET} but is ${opset}`,
    );
  }
  expectMultiple("batch", batch, 1);
  expectMultiple("height", height, sizeMultiple(config));
  expectMultiple("width", width, sizeMultiple(config));
  const graph = networkGraph(weights, opset, height === undefined || width === undefined);
  const size = [height ?? "H", width ?? "W"];
  return encodeModel({
    irVersion: irVersionOf(opset),
    producerName: "saunet",
    docString: `${config.name}: vessels in photographs of the retina`,
    opsetImport: [{ domain: "", version: opset }],
    metadataProps: Object.entries({
      normalization: "RGB bytes divided by 255; no mean, no deviation",
      threshold: String(DEFAULT_THRESHOLD),
      // What the weights say of themselves holds.
      ...metadata,
      name: config.name,
      network: JSON.stringify(config),
      size_multiple: String(sizeMultiple(config)),
    }).map(([key, value]) => ({ key, value })),
    graph: {
      name: config.name,
      node: graph.nodes,
      initializer: graph.initializers,
      input: [valueInfo("image", [batch ?? "N", config.inputChannels, ...size], "RGB, 0 to 1")],
      output: [valueInfo("probability", [batch ?? "N", 1, ...size], "of a vessel, 0 to 1")],
    },
  });
}

/** @param isOpen whether height or width is left to the image */
function networkGraph({ config, parameters }: Weights, opset: number, isOpen: boolean): GraphBuilder {
  const p = parametersFrom(config, parameters);
  const g = new GraphBuilder();

  /** A parameter as a constant, its axes in the given order. */
  const filter = (name: string, order: readonly number[]): string => {
    const { data, shape } = p[name];
    return g.floats(
      name,
      order.map((axis) => shape[axis]),
      permute(data, shape, order),
    );
  };
  const vector = (name: string, shape: Shape = p[name].shape): string => g.floats(name, shape, p[name].data);

  const conv = (x: string, name: string, bias = true): string => {
    const [KH, KW] = p[`${name}.filter`].shape;
    const [above, left] = [(KH - 1) / 2, (KW - 1) / 2];
    const inputs = [x, filter(`${name}.filter`, [3, 2, 0, 1]), ...(bias ? [vector(`${name}.bias`)] : [])];
    return g.node("Conv", name, inputs, { kernel_shape: [KH, KW], pads: [above, left, above, left] });
  };

  const enlarge = (x: string, name: string): string => {
    const { transposedPadding: before = 0 } = config;
    return g.node(
      "ConvTranspose",
      name,
      [x, filter(`${name}.filter`, [3, 2, 0, 1]), vector(`${name}.bias`)],
      {
        kernel_shape: [3, 3],
        strides: [2, 2],
        pads: [before, before, 1 - before, 1 - before],
      },
    );
  };

  const epsilon = { float: config.epsilon ?? 1e-3 };
  const normalize = (x: string, name: string): string => {
    if (config.normalization === "none") return x;
    if (config.normalization === "batch") {
      const inputs = ["gamma", "beta", "mean", "variance"].map((entry) => vector(`${name}.${entry}`));
      return g.node("BatchNormalization", name, [x, ...inputs], { epsilon });
    }
    const G = config.groups;
    const [C] = p[`${name}.gamma`].shape;
    const shape = g.node("Shape", `${name}.shape`, [x]);
    const grouped = g.node("Reshape", `${name}.grouped`, [x, g.integers(`${name}.groups`, [0, G, -1])]);
    const unit = [
      g.floats(`${name}.ones`, [G], new Float32Array(G).fill(1)),
      g.floats(`${name}.zeros`, [G], new Float32Array(G)),
    ];
    const normal = g.node("InstanceNormalization", `${name}.normal`, [grouped, ...unit], {
      epsilon,
    });
    const back = g.node("Reshape", `${name}.channels`, [normal, shape]);
    const scaled = g.node("Mul", `${name}.scaled`, [back, vector(`${name}.gamma`, [C, 1, 1])]);
    return g.node("Add", name, [scaled, vector(`${name}.beta`, [C, 1, 1])]);
  };

  const activate = (x: string, name: string): string =>
    config.activation === "relu"
      ? g.node("Relu", name, [x])
      : g.node("Mul", name, [x, g.node("Sigmoid", `${name}.sigmoid`, [x])]);

  const unit = (x: string, stage: string, index: 1 | 2): string => {
    const normal = normalize(conv(x, `${stage}.conv${index}`), `${stage}.norm${index}`);
    return activate(normal, `${stage}.activation${index}`);
  };

  const overChannels = (opType: "ReduceMean" | "ReduceMax", name: string, x: string): string =>
    opset < OPSET_OF_AXES_AS_INPUT
      ? g.node(opType, name, [x], { axes: [1], keepdims: 1 })
      : g.node(opType, name, [x, g.integers(`${name}.axes`, [1])], { keepdims: 1 });

  /** `features · sigmoid(conv7x7([first, second]))` */
  const gate = (features: string, first: string, second: string, stage: string): string => {
    const name = `${stage}.attention`;
    const maps = g.node("Concat", `${name}.maps`, [first, second], { axis: 1 });
    const where = g.node("Sigmoid", `${name}.gate`, [conv(maps, name, false)]);
    return g.node("Mul", `${name}.gated`, [features, where]);
  };
  const spatialAttention = (f: string, stage: string): string => {
    const mean = overChannels("ReduceMean", `${stage}.attention.mean`, f);
    return gate(f, mean, overChannels("ReduceMax", `${stage}.attention.max`, f), stage);
  };
  const crossScaleAttention = (e: string, d: string, stage: string): string => {
    const mean = overChannels("ReduceMean", `${stage}.attention.encoder`, e);
    return gate(e, mean, overChannels("ReduceMean", `${stage}.attention.decoder`, d), stage);
  };

  /** Passes an image on as it is. Another size fails here, under a name that says why, not in a Concat further on. */
  const sizeCheck = (x: string): string => {
    const blocksize = sizeMultiple(config);
    const blocks = g.node("SpaceToDepth", `height_and_width_must_be_multiples_of_${blocksize}`, [x], {
      blocksize,
    });
    return g.node("DepthToSpace", "image.checked", [blocks], { blocksize });
  };

  const depth = depthOf(config);
  const skips: string[] = [];
  let f = isOpen ? sizeCheck("image") : "image";
  for (let stage = 1; stage <= depth; stage++) {
    const name = `encoder${stage}`;
    f = unit(unit(f, name, 1), name, 2);
    skips.push(f);
    f = g.node("MaxPool", `${name}.pool`, [f], { kernel_shape: [2, 2], strides: [2, 2] });
  }
  f = unit(f, "bottleneck", 1);
  if (config.bottleneckAttention) f = spatialAttention(f, "bottleneck");
  f = unit(f, "bottleneck", 2);
  for (let stage = depth; stage >= 1; stage--) {
    const name = `decoder${stage}`;
    const up = enlarge(f, `${name}.up`);
    let skip = skips.pop() as string;
    if (config.skipAttention === "spatial") skip = spatialAttention(skip, name);
    if (config.skipAttention === "cross-scale") skip = crossScaleAttention(skip, up, name);
    f = unit(unit(g.node("Concat", `${name}.concat`, [up, skip], { axis: 1 }), name, 1), name, 2);
  }
  g.node("Sigmoid", "probability", [conv(f, "head")]);
  return g;
}

function expectMultiple(name: string, value: number | undefined, multiple: number): void {
  if (value === undefined || (Number.isInteger(value) && value > 0 && value % multiple === 0)) return;
  throw new RangeError(`exportOnnx: ${name} must be a positive multiple of ${multiple} but is ${value}`);
}

/** The version of the file format that came with an opset. */
function irVersionOf(opset: number): number {
  if (opset < 15) return 7;
  if (opset < 19) return 8;
  return opset < 21 ? 9 : 10;
}

function valueInfo(name: string, sizes: readonly (number | string)[], docString: string): ValueInfoProto {
  const dim = sizes.map((size) => (typeof size === "number" ? { dimValue: size } : { dimParam: size }));
  return { name, docString, type: { tensorType: { elemType: ElementType.float, shape: { dim } } } };
}

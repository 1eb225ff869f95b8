// Who computes single convolutions in processes of their own: peers, on one-node graphs or their own operators, and ours with
// an algorithm or a number of threads that is not the one of the measuring process.
//
// The clock runs from the image as floats in the contender's own layout to floats that JavaScript can read; filters are
// constants, which a library may arrange beforehand, as ours does.

import { accelerate, type Convolutions } from "@saunet/wasm";
import { loadPeer } from "../contenders/install.ts";
import { type JaxArray, startJax } from "../contenders/jax-start.ts";
import { acceleratedForm } from "../forms.ts";
import { onnxModel } from "../onnx.ts";
import { partOf } from "../parts.ts";
import { allowRelaxedSimd } from "../relaxed.ts";
import { type ConvolutionSpec, dimsOf, type KernelName, makeConvolution } from "./convolution.ts";
import { exchanged, filterFirst } from "./layouts.ts";
import { surroundOf } from "./surround.ts";

/** A convolution made ready. */
export interface PreparedConvolution {
  /** Convolves once; gives what came out, in the contender's own layout. */
  readonly output: () => Float32Array | Promise<Float32Array>;
  /** Convolves as often as was asked for. */
  readonly run: () => unknown;
}

export type PrepareConvolution = NonNullable<ConvolutionContender["prepare"]>;

/** One who computes convolutions. */
export interface ConvolutionContender {
  readonly name: string;
  /** The most threads that it can have. */
  readonly mostThreads: number;
  /** Whether it lies in bench/peers. */
  readonly isPeer: boolean;
  readonly serves: (spec: ConvolutionSpec, kernel: KernelName) => boolean;
  /** Whether its result has channels before rows. */
  readonly planar: boolean;
  /** Nothing where it is a module of bench/peers/python. */
  readonly prepare?: (
    spec: ConvolutionSpec,
    kernel: KernelName,
    threads: number,
    calls: number,
  ) => Promise<PreparedConvolution>;
}

/** What is used of onnxruntime-node and onnxruntime-web. */
interface Onnxruntime {
  readonly env: { readonly wasm: { numThreads?: number } };
  readonly InferenceSession: {
    create(
      model: Uint8Array,
      options: { intraOpNumThreads: number; interOpNumThreads: number },
    ): Promise<{ run(feeds: { x: unknown }): Promise<{ y: { data: Float32Array } }> }>;
  };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => unknown;
}

/** The most of a convolution that jax-js is given, so that it is done within a minute. */
const JAX_FLOPS = 1e9;

/** The graph of a convolution. */
export function convolutionModel(spec: ConvolutionSpec, w: Float32Array): Uint8Array {
  const { op, KH, KW, C, O, stride, dilation, groups } = spec;
  const { pads, unreached } = surroundOf(spec, dimsOf(spec));
  const forward = op === "conv2d";
  return onnxModel({
    operator: forward ? "Conv" : "ConvTranspose",
    inputs: ["x", "w"],
    attributes: {
      kernel_shape: [KH, KW],
      strides: [stride, stride],
      dilations: [dilation, dilation],
      group: groups,
      pads: [...pads],
      ...(!forward && { output_padding: [...unreached] }),
    },
    constants: {
      w: forward
        ? { data: filterFirst(w, KH * KW, C / groups, O), dims: [O, C / groups, KH, KW] }
        : { data: filterFirst(w, KH * KW, O, C), dims: [C, O, KH, KW] },
    },
  });
}

const onnxruntime =
  (load: () => Promise<Onnxruntime>): PrepareConvolution =>
  async (spec, _, threads, calls) => {
    const { env, InferenceSession, Tensor } = await load();
    env.wasm.numThreads = threads;
    const session = await InferenceSession.create(convolutionModel(spec, makeConvolution(spec).w), {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
    });
    const { N, H, W, C } = spec;
    const x = exchanged(makeConvolution(spec).x, N, H * W, C);
    return repeated(
      async () => (await session.run({ x: new Tensor("float32", x, [N, C, H, W]) })).y.data,
      calls,
    );
  };

/** So many calls, one after the other. */
function repeated(once: () => Promise<Float32Array>, calls: number): PreparedConvolution {
  return {
    output: once,
    run: async () => {
      for (let call = 0; call < calls; call++) await once();
    },
  };
}

interface TfTensor {
  data(): Promise<Float32Array>;
  dispose(): void;
}

type TfConv = (
  x: TfTensor,
  w: TfTensor,
  stride: number,
  padding: "same",
  layout?: "NHWC",
  dilation?: number,
) => TfTensor;

/** What is used of @tensorflow/tfjs-core. */
interface Tf {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tensor(data: Float32Array, shape: readonly number[]): TfTensor;
  readonly conv2d: TfConv;
  readonly depthwiseConv2d: TfConv;
  conv2dTranspose(x: TfTensor, w: TfTensor, shape: number[], stride: number, padding: "same"): TfTensor;
}

const tfjs: PrepareConvolution = async (spec, _, _threads, calls) => {
  const { dims, x, w } = makeConvolution(spec);
  const tf = await loadPeer<Tf>("@tensorflow/tfjs-core");
  await loadPeer("@tensorflow/tfjs-backend-wasm");
  if (!(await tf.setBackend("wasm"))) throw new Error("the wasm backend does not start");
  await tf.ready();
  const { op, N, H, W, C, KH, KW, O, stride, dilation, groups } = spec;
  const shape =
    op === "convTranspose2d" ? [KH, KW, O, C] : groups === 1 ? [KH, KW, C, O] : [KH, KW, C, O / C];
  const filter = tf.tensor(w, shape);
  const convolve = (image: TfTensor): TfTensor => {
    if (op === "convTranspose2d")
      return tf.conv2dTranspose(image, filter, [N, dims.H, dims.W, dims.C], stride, "same");
    return (groups === 1 ? tf.conv2d : tf.depthwiseConv2d)(image, filter, stride, "same", "NHWC", dilation);
  };
  return repeated(async () => {
    const image = tf.tensor(x, [N, H, W, C]);
    const y = convolve(image);
    const result = await y.data();
    image.dispose();
    y.dispose();
    return result;
  }, calls);
};

/** What is used of @jax-js/jax. */
interface Jax {
  jit(body: (x: JaxArray) => JaxArray): (x: JaxArray) => JaxArray;
  readonly numpy: { array(data: Float32Array, options: { shape: readonly number[] }): JaxArray };
  readonly lax: {
    convGeneralDilated(
      x: JaxArray,
      w: JaxArray,
      strides: readonly number[],
      padding: "SAME",
      options: { readonly rhsDilation: readonly number[]; readonly featureGroupCount: number },
    ): JaxArray;
  };
}

/** Image and filter with channels before rows, as jax-js has them. */
const jax: PrepareConvolution = async (spec, _, _threads, calls) => {
  const { x, w } = makeConvolution(spec);
  const { lax, numpy, jit } = await startJax<Jax>();
  const { N, H, W, C, KH, KW, O, stride, dilation, groups } = spec;
  const filter = numpy.array(filterFirst(w, KH * KW, C / groups, O), { shape: [O, C / groups, KH, KW] });
  const convolve = jit((image) =>
    lax.convGeneralDilated(image, filter.ref, [stride, stride], "SAME", {
      rhsDilation: [dilation, dilation],
      featureGroupCount: groups,
    }),
  );
  const image = exchanged(x, N, H * W, C);
  return repeated(() => convolve(numpy.array(image.slice(), { shape: [N, C, H, W] })).data(), calls);
};

/** Ours in a process of its own; its image and result lie in the kernels' memory already, as between layers. */
const ours = (convolutions: Convolutions): ConvolutionContender => ({
  name: nameOfAlgorithm(convolutions),
  mostThreads: 64,
  isPeer: false,
  serves: () => true,
  planar: false,
  prepare: async (spec, kernel, threads, calls) => {
    allowRelaxedSimd();
    const report = await accelerate({ threads, convolutions });
    if (report.threads !== threads) throw new Error(report.reasons.join("; "));
    const form = acceleratedForm(partOf(spec, kernel), threads, calls);
    return { output: () => form.outputs()[0] as Float32Array, run: form.run };
  },
});

/** The algorithms that ours can be kept to. */
export const ALGORITHMS: readonly Convolutions[] = ["fastest", "direct", "winograd4", "winograd6"];

/** What ours is called with an algorithm. */
export const nameOfAlgorithm = (convolutions: Convolutions): string =>
  convolutions === "fastest" ? "accelerated" : `accelerated ${convolutions}`;

/** Whether a kernel call is what the line's operator does, and not one of its gradients. */
const isOperator = ({ op }: ConvolutionSpec, kernel: KernelName): boolean =>
  kernel === (op === "conv2d" ? "forward" : "transposed");

export const convolutionContenders: readonly ConvolutionContender[] = [
  ...ALGORITHMS.map(ours),
  {
    name: "onnxruntime-node",
    mostThreads: 64,
    isPeer: false,
    serves: isOperator,
    planar: true,
    prepare: onnxruntime(async () => (await import("onnxruntime-node")) as unknown as Onnxruntime),
  },
  {
    name: "onnxruntime-web",
    mostThreads: 64,
    isPeer: true,
    serves: isOperator,
    planar: true,
    prepare: onnxruntime(() => loadPeer("onnxruntime-web")),
  },
  {
    name: "tfjs-wasm",
    mostThreads: 1,
    isPeer: true,
    serves: (spec, kernel) =>
      isOperator(spec, kernel) && (spec.groups === 1 || (spec.groups === spec.C && spec.op === "conv2d")),
    planar: false,
    prepare: tfjs,
  },
  {
    name: "jax-js",
    // More in browsers alone: it looks for a global Worker.
    mostThreads: 1,
    isPeer: true,
    serves: (spec, kernel) =>
      kernel === "forward" && isOperator(spec, kernel) && dimsOf(spec).flops <= JAX_FLOPS,
    planar: true,
    prepare: jax,
  },
  { name: "pytorch", mostThreads: 64, isPeer: false, serves: isOperator, planar: true },
];

// Peers that are not installed, played with our own operators: they want what the real ones want, in their layouts.

import { conv2d, convTranspose2d, matmul, noGrad, Tensor } from "@saunet/core";
import { exchanged } from "../convolutions/layouts.ts";

const LAYOUT = "NHWC";

/** Tensors of TensorFlow.js that were not disposed of. */
export const alive = new Set<object>();

interface PlayedTensor {
  readonly value: Tensor;
  readonly data: () => Promise<Float32Array>;
  readonly dispose: () => void;
}

function played(value: Tensor): PlayedTensor {
  const tensor: PlayedTensor = {
    value,
    data: async () => {
      if (!alive.has(tensor)) throw new Error("the tensor is disposed of");
      return value.data.slice();
    },
    dispose: () => void alive.delete(tensor),
  };
  alive.add(tensor);
  return tensor;
}

type Convolve = (
  x: PlayedTensor,
  w: PlayedTensor,
  stride: number,
  padding: "same",
  layout: string,
  dilation: number,
) => PlayedTensor;

/** A convolution of TensorFlow.js; `groupsOf` is how many groups one of so many channels has. */
const convolution =
  (groupsOf: (channels: number) => number): Convolve =>
  (x, w, stride, padding, layout, dilation) => {
    if (layout !== LAYOUT) throw new Error(`the layout is ${layout}`);
    const [KH, KW, C, O] = w.value.shape;
    if (C !== x.value.shape[3]) throw new Error(`the filter is of ${C} channels`);
    const groups = groupsOf(C);
    const filter = new Tensor(w.value.data, [KH, KW, C / groups, O * groups]);
    return played(noGrad(() => conv2d(x.value, filter, undefined, { stride, padding, dilation, groups })));
  };

const tensorflow = {
  setBackend: async (name: string) => name === "wasm",
  ready: async () => {},
  tensor: (data: Float32Array, shape: readonly number[]) => played(new Tensor(data.slice(), shape)),
  conv2d: convolution(() => 1),
  depthwiseConv2d: convolution((channels) => channels),
  conv2dTranspose: (
    ...[x, w, shape, stride, padding]: [PlayedTensor, PlayedTensor, number[], number, "same"]
  ) => {
    const y = noGrad(() => convTranspose2d(x.value, w.value, undefined, { stride, padding }));
    if (String(y.shape) !== String(shape)) throw new Error(`the result is ${y.shape}, and not ${shape}`);
    return played(y);
  },
  matMul: (a: PlayedTensor, b: PlayedTensor) => played(noGrad(() => matmul(a.value, b.value))),
};

/** An array of jax-js: whoever takes it uses it up, unless it is given a further reference. */
class PlayedArray {
  readonly #value: Tensor;
  #references = 1;

  constructor(value: Tensor) {
    this.#value = value;
  }

  get ref(): this {
    this.#references++;
    return this;
  }

  taken(): Tensor {
    if (this.#references-- === 0) throw new Error("the array is used up");
    return this.#value;
  }

  async data(): Promise<Float32Array> {
    return this.taken().data;
  }
}

interface LaxOptions {
  readonly rhsDilation: readonly [number, number];
  readonly featureGroupCount: number;
}

/** `[O,C,KH,KW]` to `[KH,KW,C,O]`. */
function filterLast({ data, shape: [O, C, KH, KW] }: Tensor): Tensor {
  return new Tensor(exchanged(exchanged(data, O, C, KH * KW), 1, O, KH * KW * C), [KH, KW, C, O]);
}

const jax = {
  init: async (...devices: string[]) => devices,
  defaultDevice: (device: string) => device,
  jit: <F>(body: F): F => body,
  numpy: {
    array: (data: Float32Array, { shape }: { shape: readonly number[] }) =>
      new PlayedArray(new Tensor(data, shape)),
    matmul: (a: PlayedArray, b: PlayedArray) => new PlayedArray(noGrad(() => matmul(a.taken(), b.taken()))),
  },
  lax: {
    convGeneralDilated: (
      ...[image, filter, stride, padding, options]: [
        ...[PlayedArray, PlayedArray, [number, number], string],
        LaxOptions,
      ]
    ) => {
      const x = image.taken();
      const [N, C, H, W] = x.shape;
      const { rhsDilation: dilation, featureGroupCount: groups } = options;
      if (padding !== "SAME") throw new Error(`the padding is ${padding}`);
      const rows = new Tensor(exchanged(x.data, N, C, H * W), [N, H, W, C]);
      const y = noGrad(() =>
        conv2d(rows, filterLast(filter.taken()), undefined, { stride, dilation, groups }),
      );
      const [, OH, OW, O] = y.shape;
      return new PlayedArray(new Tensor(exchanged(y.data, N, OH * OW, O), [N, O, OH, OW]));
    },
  },
};

/** What `loadPeer` gives of a peer. */
export async function playedPeer(name: string): Promise<unknown> {
  if (name === "onnxruntime-web") return await import("onnxruntime-node");
  const peers: Readonly<Record<string, object>> = {
    "@tensorflow/tfjs-core": tensorflow,
    "@tensorflow/tfjs-backend-wasm": {},
    "@jax-js/jax": jax,
  };
  if (peers[name] === undefined) throw new Error(`nobody plays ${name}`);
  return peers[name];
}

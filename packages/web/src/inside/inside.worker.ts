// Runs the network on a photograph and keeps everything that it computes, for a person to look at.

import { prepare, type Runnable, type Tensor } from "@saunet/core";
import { intercept } from "@saunet/core/kernels";
import { floatsOf } from "@saunet/data";
import {
  captureInference,
  countParameters,
  loadSegmenter,
  type NetworkConfig,
  padFloats,
  sizeMultiple,
  type Weights,
} from "@saunet/model";
import { observe } from "@saunet/wasm";
import { expose } from "comlink";
import { engineWorker, startEngine } from "../engine.ts";
import { decodePicture, pixelsOf, shrink } from "../pictures/decode.ts";
import { weightsIn } from "../weights.ts";
import { imageOf, planeOf, rangeOf, spotlight } from "./colours.ts";
import { type Geometry, geometryOf } from "./geometry.ts";
import { type Before, beforeOf, type Probe, probe, type Traced } from "./probe.ts";
import { flopsByLayer, type Layer, timesByLayer, traceNetwork } from "./trace.ts";

/** What is told of a layer at once. */
export interface LayerReport {
  readonly id: string;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly flops: number;
  readonly milliseconds: number;
  /** The mean of its channels. */
  readonly thumbnail: ImageData;
  readonly geometry: Geometry;
}

/** An attention map over the photograph. */
export interface AttentionReport {
  readonly id: string;
  readonly image: ImageData;
  /** Between these lie 98 % of it. */
  readonly low: number;
  readonly high: number;
}

/** A network on a photograph. */
export interface Anatomy {
  readonly config: NetworkConfig;
  /** How many numbers it has learned. */
  readonly parameters: number;
  readonly width: number;
  readonly height: number;
  /** Whether the photograph had to be made smaller. */
  readonly isReduced: boolean;
  readonly photograph: ImageData;
  readonly layers: readonly LayerReport[];
  readonly attention: readonly AttentionReport[];
  readonly threads: number;
  /** All layers together, one after the other. */
  readonly milliseconds: number;
  /** Where a vessel is surest, as shares of the padded picture's width and height. */
  readonly vessel: { readonly x: number; readonly y: number };
}

/** One channel in full. */
export interface ChannelReport {
  readonly image: ImageData;
  readonly low: number;
  readonly high: number;
}

/** A number, taken apart, with a picture of each layer that it is made of. */
export interface Taken {
  readonly probe: Probe;
  readonly before: readonly (Before & { readonly image: ImageData })[];
}

/** All activations of a picture of this side take about 200 MB. */
const LONGEST_SIDE = 512;
const THUMBNAIL_SIDE = 144;
/** Of the pictures of layers before. */
const BEFORE_SIDE = 256;
const WARM_UPS = 1;
const TIMED_RUNS = 3;

let network: Weights | undefined;
let layers = new Map<string, Layer>();

const layer = (id: string): Layer => {
  const found = layers.get(id);
  if (found === undefined) throw new Error(`inside: there is no layer ${id}`);
  return found;
};

const traced = (): Traced => ({ config: network!.config, layers });

/** The middle of what is surest to be a vessel: a pixel with its neighbours, inside of the photograph. */
function vesselIn({ activation, width, height }: Layer, inside: { width: number; height: number }) {
  const plane = (x: number, y: number) => activation[y * width + x];
  let best = { x: 0, y: 0, sum: -1 };
  for (let y = 1; y < inside.height - 1; y++)
    for (let x = 1; x < inside.width - 1; x++) {
      let sum = 0;
      for (let dy = -1; dy <= 1; dy++) for (let dx = -1; dx <= 1; dx++) sum += plane(x + dx, y + dy);
      if (sum > best.sum) best = { x, y, sum };
    }
  return { x: (best.x + 0.5) / width, y: (best.y + 0.5) / height };
}

/** Milliseconds of each call of a prepared program, the median of a few runs. */
function timeCalls(runnable: Runnable, x: Tensor): number[] {
  const runs = Array.from({ length: WARM_UPS + TIMED_RUNS }, () => {
    const calls = runnable.program.calls.map(() => 0);
    let next = 0;
    // Generated code is observed; without it every call is a kernel of core's own.
    intercept(
      ({ run }) => {
        const start = performance.now();
        run();
        calls[next++] += performance.now() - start;
      },
      () =>
        observe(
          ({ call, start, end }) => {
            calls[call] += end - start;
          },
          () => runnable.runSync([x]),
        ),
    );
    return calls;
  }).slice(WARM_UPS);
  const middle = Math.floor(TIMED_RUNS / 2);
  return runs[0].map((_, call) => runs.map((calls) => calls[call]).sort((a, b) => a - b)[middle]);
}

const api = {
  ...engineWorker,

  /** Looks at a photograph with these weights; default: the shipped ones. */
  async look(file: Blob, weights?: Uint8Array): Promise<Anatomy> {
    const { threads } = await startEngine();
    network = weights === undefined ? await loadSegmenter() : weightsIn(weights);
    const { config } = network;
    const whole = await decodePicture(file);
    const bitmap = await shrink(whole, LONGEST_SIDE);
    const isReduced = bitmap.width !== whole.width;
    whole.close();
    const photograph = pixelsOf(bitmap);
    bitmap.close();
    const { width, height } = photograph;
    const multiple = sizeMultiple(config);
    const [W, H] = [width, height].map((side) => Math.ceil(side / multiple) * multiple);
    const x = padFloats(floatsOf(photograph), width, height, W, H);

    // What was kept before may go before as much is made again.
    layers = new Map();
    const runnable = prepare(captureInference(network, x));
    const times = timesByLayer(runnable.program, network.parameters, timeCalls(runnable, x));
    runnable.release();
    layers = traceNetwork(network, x);
    const flops = flopsByLayer(network, { height: H, width: W });
    const reports = [...layers.values()].map((own): LayerReport => {
      const { id, height, width, channels, convolution } = own;
      const thumbnail = imageOf(planeOf(own, "mean", THUMBNAIL_SIDE));
      const geometry = geometryOf(convolution.dims, convolution.transposed);
      const work = { flops: flops.get(id) ?? 0, milliseconds: times.get(id) ?? 0 };
      return { id, height, width, channels, ...work, thumbnail, geometry };
    });
    const attention = reports
      .filter(({ id }) => id.endsWith(".attention"))
      .map(({ id }): AttentionReport => {
        const plane = planeOf(layer(id), 0, LONGEST_SIDE);
        return { id, image: spotlight(photograph, plane), ...rangeOf(plane) };
      });
    const milliseconds = reports.reduce((sum, each) => sum + each.milliseconds, 0);
    const vessel = vesselIn(layer("head"), photograph);
    const parameters = countParameters(config);
    const seen = { config, parameters, width, height, isReduced, photograph, vessel };
    return { ...seen, layers: reports, attention, threads, milliseconds };
  },

  /** Small pictures of all channels of a layer. */
  channels(id: string): ImageData[] {
    const own = layer(id);
    return Array.from({ length: own.channels }, (_, channel) =>
      imageOf(planeOf(own, channel, THUMBNAIL_SIDE)),
    );
  },

  /** One channel in its full size. */
  channel(id: string, channel: number): ChannelReport {
    const plane = planeOf(layer(id), channel, LONGEST_SIDE);
    const { low, high } = rangeOf(plane);
    return { image: imageOf(plane, { low, high }), low, high };
  },

  /** Takes one number of a layer apart. */
  probe(id: string, row: number, column: number, channel: number): Taken {
    const own = probe(traced(), id, row, column, channel);
    const before = beforeOf(traced(), id, own.contributions).map((each) => ({
      ...each,
      image: imageOf(planeOf(layer(each.id), each.channel, BEFORE_SIDE)),
    }));
    return { probe: own, before };
  },
};

/** What the page may ask of this worker. */
export type InsideWorker = typeof api;

expose(api);

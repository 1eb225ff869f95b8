// Runs the network on a photograph and keeps everything that it computes, for a person to look at.

import { intercept, prepare, type Runnable, type Tensor } from "@saunet/core";
import { floatsOf } from "@saunet/data";
import { captureInference, loadSegmenter, padFloats, sizeMultiple, type Weights } from "@saunet/model";
import { observe } from "@saunet/wasm";
import { expose } from "comlink";
import { startEngine } from "../engine.ts";
import { decodePicture, pixelsOf, shrink } from "../pictures/decode.ts";
import { imageOf, planeOf, rangeOf, spotlight } from "./colours.ts";
import { flopsByLayer, type Layer, type Probe, probe, timesByLayer, traceNetwork } from "./trace.ts";

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
}

/** One channel in full. */
export interface ChannelReport {
  readonly image: ImageData;
  readonly low: number;
  readonly high: number;
  /** Where it is strongest. */
  readonly peak: { readonly row: number; readonly column: number };
}

/** All activations of a picture of this side take about 200 MB. */
const LONGEST_SIDE = 512;
const THUMBNAIL_SIDE = 144;
const WARM_UPS = 2;
const TIMED_RUNS = 5;

let network: Weights | undefined;
let layers = new Map<string, Layer>();

const layer = (id: string): Layer => {
  const found = layers.get(id);
  if (found === undefined) throw new Error(`inside: there is no layer ${id}`);
  return found;
};

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
  /** Looks at a photograph with these weights; the shipped ones when left out. */
  async look(file: Blob, weights?: Uint8Array): Promise<Anatomy> {
    const { threads } = await startEngine();
    network = await loadSegmenter(weights === undefined ? {} : { weights });
    const whole = await decodePicture(file);
    const bitmap = await shrink(whole, LONGEST_SIDE);
    const isReduced = bitmap.width !== whole.width;
    whole.close();
    const photograph = pixelsOf(bitmap);
    bitmap.close();
    const { width, height } = photograph;
    const multiple = sizeMultiple(network.config);
    const [W, H] = [width, height].map((side) => Math.ceil(side / multiple) * multiple);
    const x = padFloats(floatsOf(photograph), width, height, W, H);

    // What was kept before may go before as much is made again.
    layers = new Map();
    const runnable = prepare(captureInference(network, x));
    const times = timesByLayer(runnable.program, network.parameters, timeCalls(runnable, x));
    runnable.release();
    layers = traceNetwork(network, x);
    const flops = flopsByLayer(network, { height: H, width: W });
    const reports = [...layers.values()].map(({ activation, convolution, ...own }): LayerReport => {
      const plane = planeOf({ activation, ...own }, "mean", THUMBNAIL_SIDE);
      const milliseconds = times.get(own.id) ?? 0;
      return { ...own, flops: flops.get(own.id) ?? 0, milliseconds, thumbnail: imageOf(plane) };
    });
    const attention = reports
      .filter(({ id }) => id.endsWith(".attention"))
      .map(({ id }): AttentionReport => {
        const plane = planeOf(layer(id), 0, LONGEST_SIDE);
        return { id, image: spotlight(photograph, plane), ...rangeOf(plane) };
      });
    const milliseconds = reports.reduce((sum, each) => sum + each.milliseconds, 0);
    return { width, height, isReduced, photograph, layers: reports, attention, threads, milliseconds };
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
    let peak = 0;
    plane.values.forEach((value, pixel) => {
      if (value > plane.values[peak]) peak = pixel;
    });
    const { low, high } = rangeOf(plane);
    return {
      image: imageOf(plane, { low, high }),
      low,
      high,
      peak: { row: Math.floor(peak / plane.width), column: peak % plane.width },
    };
  },

  /** Takes one number of a layer apart. */
  probe(id: string, row: number, column: number, channel: number): Probe {
    return probe(layer(id), row, column, channel);
  },
};

/** What the page may ask of this worker. */
export type InsideWorker = typeof api;

expose(api);

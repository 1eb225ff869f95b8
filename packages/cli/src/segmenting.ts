// What saunet segment makes of a photograph: of a network with one output the probability, a mask and an overlay; of one
// that tells classes apart a map of the classes and an overlay.

import { type ClassMap, coverage, type Mask, overlay, type Photograph } from "@saunet/data";
import { encodePng, type GreyPicture } from "@saunet/data/files";
import {
  classSegmenterOf,
  evaluate,
  evaluateClasses,
  type SegmentOptions,
  segmenterOf,
  type Weights,
} from "@saunet/model";
import { encodeClassMap, hexOf, overlayClasses } from "./class-map.ts";

/** A photograph, and where it is known exactly what it shows. */
export interface Subject {
  readonly photograph: Photograph;
  readonly fieldOfView: Mask;
  readonly truth?: Mask;
  /** The true classes by their places among the names. */
  readonly trueClasses?: (names: readonly string[]) => ClassMap;
}

/** What was found of one class. */
export interface FoundClass {
  readonly name: string;
  readonly colour: string;
  /** Of the field of view. */
  readonly share: number;
  /** Against an exact truth. */
  readonly f1?: number;
}

/** Numbers of a photograph, row by row: `[height, width]`, or `[height, width, classes]`. */
export interface PhotographArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | Mask["data"];
}

/** What came of one photograph. */
export interface Painted {
  readonly width: number;
  readonly height: number;
  /** The factor by which the network saw the photograph resized. */
  readonly scale: number;
  /** What the network took. */
  readonly networkSeconds: number;
  /** Of the field of view. */
  readonly vesselShare: number;
  /** Against an exact truth, of a network with one output. */
  readonly f1?: number;
  /** Of a network that tells classes apart: each but the background. */
  readonly classes?: readonly FoundClass[];
  /** What the network says, as numbers: probabilities, and the mask or the numbers of the classes. */
  readonly arrays: Readonly<Record<string, PhotographArray>>;
  /** What encodes the picture of each kind. */
  readonly pictures: Readonly<Record<string, () => Uint8Array | Promise<Uint8Array>>>;
}

/** Segments photographs and paints what it finds. */
export interface Painter {
  /** The kinds of pictures that it makes of a photograph. */
  readonly kinds: readonly string[];
  paint(subject: Subject, options: SegmentOptions): Promise<Painted>;
}

/** The painter that suits a network. */
export function painterOf(weights: Weights): Painter {
  return weights.config.classes === undefined ? vesselPainter(weights) : classPainter(weights);
}

function vesselPainter(weights: Weights): Painter {
  const segmenter = segmenterOf(weights);
  return {
    kinds: ["probability", "mask", "overlay"],
    async paint({ photograph, fieldOfView, truth }, options) {
      const time = stopwatch();
      const { probability, mask, ...size } = await segmenter.segment(photograph, {
        ...options,
        fieldOfView,
        onNetworkSeconds: time.take,
      });
      const found = { ...size, networkSeconds: time.taken() };
      const { width, height } = found;
      return {
        ...{ ...found, vesselShare: coverage(mask, fieldOfView) },
        ...(truth && { f1: evaluate({ probability, truth: truth.data }, options.threshold).f1 }),
        arrays: {
          probability: { shape: [height, width], data: probability },
          mask: { shape: [height, width], data: mask.data },
        },
        pictures: {
          ...(truth && { photograph: () => encodePng(photograph), truth: () => encodePng(truth) }),
          probability: () => encodePng(greyOf(probability, found)),
          mask: () => encodePng(mask),
          overlay: () => encodePng(overlay(photograph, mask)),
        },
      };
    },
  };
}

/** Keeps the seconds that a segmenter tells. */
function stopwatch() {
  let taken = 0;
  return {
    take: (seconds: number) => {
      taken = seconds;
    },
    taken: () => taken,
  };
}

/** Probabilities as levels of grey. */
function greyOf(
  probability: Float32Array,
  { width, height }: { readonly width: number; readonly height: number },
): GreyPicture {
  const levels = new Uint8Array(probability.length);
  // Storing cuts off, so half a level more rounds: a sixth of the time of Math.round.
  for (let pixel = 0; pixel < levels.length; pixel++) levels[pixel] = 255 * probability[pixel] + 0.5;
  return { width, height, levels };
}

function classPainter(weights: Weights): Painter {
  const segmenter = classSegmenterOf(weights);
  const { classes: names } = segmenter;
  return {
    kinds: ["classes", "overlay"],
    async paint({ photograph, fieldOfView, trueClasses }, options) {
      const time = stopwatch();
      const { probability, classes, ...size } = await segmenter.segment(photograph, {
        ...options,
        fieldOfView,
        onNetworkSeconds: time.take,
      });
      const found = { ...size, networkSeconds: time.taken() };
      const { width, height } = found;
      const truth = trueClasses?.(names);
      const figures = truth && evaluateClasses({ probability, truth: truth.data }, names);
      const shown = names.slice(1).map((name, at) => {
        const data = classes.data.map((number) => (number === at + 1 ? 1 : 0));
        return {
          ...{ name, colour: hexOf(at + 1), share: coverage({ width, height, data }, fieldOfView) },
          ...(figures && { f1: figures.byClass[name].f1 }),
        };
      });
      return {
        ...{ ...found, vesselShare: shown.reduce((sum, { share }) => sum + share, 0) },
        classes: shown,
        arrays: {
          probability: { shape: [height, width, names.length], data: probability },
          classes: { shape: [height, width], data: classes.data },
        },
        pictures: {
          ...(truth && {
            photograph: () => encodePng(photograph),
            truth: () => encodeClassMap(truth, names),
          }),
          classes: () => encodeClassMap(classes, names),
          overlay: () => encodePng(overlayClasses(photograph, classes, names)),
        },
      };
    },
  };
}

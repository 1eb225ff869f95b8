// How good weights are on the images kept back.

import { setImmediate } from "node:timers/promises";
import { capture, noGrad, prepare, type Runnable, sigmoid } from "@saunet/core";
import {
  classSegmenterOf,
  confusion,
  evaluateClasses,
  forward,
  metricsFromConfusion,
  paperLoss,
  segmenterOf,
  type Weights,
} from "@saunet/model";
import { paddedBatch, tensorsOf, type WholePictures } from "./batches.ts";
import type { Progress } from "./output.ts";
import type { Picture } from "./training-data.ts";

/** What a validation found. */
export interface Validation {
  /** Mean over the pictures. */
  readonly f1: number;
  readonly accuracy: number;
  /** Mean over the batches; of recipes that watch it. */
  readonly loss?: number;
}

/** Judges weights that training changes in place. */
export interface Validator {
  /** Undefined where Ctrl-C comes before the end. */
  validate(signal: AbortSignal): Promise<Validation | undefined>;
  release(): void;
}

/**
 * Segments pictures whole, as a user would, at the scale that the weights ask for.
 *
 * @param padTo side of the square that they are padded to
 */
export function pictureValidator(
  weights: Weights,
  pictures: readonly Picture[],
  bar: Progress,
  padTo = 1,
): Validator {
  const segmenter = segmenterOf(weights);
  return {
    async validate(signal) {
      let [f1, accuracy] = [0, 0];
      for (const { id, photograph, vessels } of pictures) {
        bar.show(`validating on ${id}`);
        // The size was checked when the picture was read.
        const { probability } = await segmenter.segment(photograph, {
          padTo,
          maxPixels: Number.POSITIVE_INFINITY,
        });
        const figures = metricsFromConfusion(confusion({ probability, truth: vessels.data }));
        f1 += figures.f1 / pictures.length;
        accuracy += figures.accuracy / pictures.length;
        await setImmediate();
        if (signal.aborted) return undefined;
      }
      return { f1, accuracy };
    },
    release: () => segmenter.release(),
  };
}

/** The same of a network that tells classes apart: F1 is the mean over the classes, accuracy the share of pixels in their class. */
export function classValidator(weights: Weights, pictures: readonly Picture[], bar: Progress): Validator {
  const segmenter = classSegmenterOf(weights);
  return {
    async validate(signal) {
      let [f1, accuracy] = [0, 0];
      for (const { id, photograph, classes: truth } of pictures) {
        if (truth === undefined) throw new Error(`${id} has no classes`);
        bar.show(`validating on ${id}`);
        const { probability, classes } = await segmenter.segment(photograph, {
          maxPixels: Number.POSITIVE_INFINITY,
        });
        const { mean } = evaluateClasses({ probability, truth: truth.data }, segmenter.classes);
        const right = classes.data.reduce(
          (count, number, pixel) => count + (number === truth.data[pixel] ? 1 : 0),
          0,
        );
        f1 += mean.f1 / pictures.length;
        accuracy += right / classes.data.length / pictures.length;
        await setImmediate();
        if (signal.aborted) return undefined;
      }
      return { f1, accuracy };
    },
    release: () => segmenter.release(),
  };
}

/**
 * What the paper's recipe watches besides: loss and accuracy over the padded batches of the augmented pictures kept back,
 * the loss as Keras gives it, a mean over batches weighted by their size.
 */
export function paperValidator(
  weights: Weights,
  pictures: readonly Picture[],
  { pictures: augmented, side }: WholePictures,
  batch: number,
  bar: Progress,
): Validator {
  const { config, parameters } = weights;
  const whole = pictureValidator(weights, pictures, bar, side);
  const loss = paperLoss();
  const programs = new Map<number, Runnable>();
  return {
    async validate(signal) {
      let [lossSum, right] = [0, 0];
      for (let first = 0; first < augmented.length; first += batch) {
        bar.show(`validating on ${augmented.length} augmented pictures`);
        const { x, target } = tensorsOf(paddedBatch(augmented.slice(first, first + batch), side));
        const count = x.shape[0];
        const program =
          programs.get(count) ??
          prepare(
            capture(
              ([image, truth]) =>
                noGrad(() => {
                  const logits = forward(config, parameters, image);
                  return [loss(logits, truth), sigmoid(logits)];
                }),
              [x, target],
            ),
          );
        programs.set(count, program);
        const [value, { data }] = await program.run([x, target]);
        lossSum += count * value.item();
        for (let i = 0; i < data.length; i++) if (data[i] > 0.5 === target.data[i] > 0.5) right++;
        await setImmediate();
        if (signal.aborted) return undefined;
      }
      const found = await whole.validate(signal);
      return (
        found && {
          f1: found.f1,
          loss: lossSum / augmented.length,
          accuracy: right / (augmented.length * side * side),
        }
      );
    },
    release() {
      whole.release();
      for (const program of programs.values()) program.release();
    },
  };
}

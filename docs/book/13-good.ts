// The numbers and figures of chapter 13.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { normal, randomState } from "@saunet/core";
import { type Photograph, type SyntheticFundus, syntheticFundus } from "@saunet/data";
import {
  bootstrapIntervals,
  confusion,
  evaluate,
  f1ByThreshold,
  fitThreshold,
  type ImageSummary,
  loadSegmenter,
} from "@saunet/model";
import { accelerate, restore } from "@saunet/wasm";
import { box, curve, type Figure, figure, type Ink, line, text } from "../../scripts/book/svg.ts";
import { root } from "../../scripts/workspace.mjs";

const EYES = 8;
/** So many of them are shown to other cameras. */
const DISTURBED = 3;
const SIDE = 592;
const eyes = Array.from({ length: EYES }, (_, i) =>
  syntheticFundus({ seed: 1001 + i, width: SIDE, height: SIDE }),
);

/** A photograph whose numbers, 0 to 1, were changed. */
const changed =
  (change: (value: number, i: number, all: Photograph) => number) =>
  (photograph: Photograph): Photograph => ({
    ...photograph,
    data: photograph.data.map((byte, i) =>
      Math.round(255 * Math.min(1, Math.max(0, change(byte / 255, i, photograph)))),
    ),
  });
const grain = normal([SIDE * SIDE * 3], randomState(1), { deviation: 0.06 }).data;
const blurred = changed((_, i, { data, width, height }) => {
  const [row, rest] = [Math.floor(i / (3 * width)), i % (3 * width)];
  const [column, channel] = [Math.floor(rest / 3), rest % 3];
  let [sum, count] = [0, 0];
  for (let y = Math.max(0, row - 2); y <= Math.min(height - 1, row + 2); y++)
    for (let x = Math.max(0, column - 2); x <= Math.min(width - 1, column + 2); x++) {
      sum += data[(y * width + x) * 3 + channel];
      count++;
    }
  return sum / count / 255;
});
const CAMERAS: readonly (readonly [name: string, of: (photograph: Photograph) => Photograph])[] = [
  ["as they are", (photograph) => photograph],
  ["darker (to the power of 1.9)", changed((value) => value ** 1.9)],
  ["half the contrast", changed((value) => 0.25 + value / 2)],
  ["cold light", changed((value, i) => value * [0.6, 1.1, 2][i % 3])],
  ["green channel alone", changed((_, i, { data }) => data[i - (i % 3) + 1] / 255)],
  ["noise", changed((value, i) => (value > 0.05 ? value + grain[i] : value))],
  ["out of focus (mean of 5×5)", blurred],
];

await accelerate({ threads: 1 });
const segmenter = await loadSegmenter();
const answers: Float32Array[][] = [];
for (const [camera, [, of]] of CAMERAS.entries()) {
  const maps: Float32Array[] = [];
  for (const { image } of camera === 0 ? eyes : eyes.slice(0, DISTURBED))
    maps.push((await segmenter.segment(of(image))).probability);
  answers.push(maps);
}
segmenter.release();
await restore();

type Truth = (eye: SyntheticFundus) => Uint8Array;
/** The truth with every vessel a pixel wider or narrower. */
const redrawn =
  (value: 0 | 1): Truth =>
  ({ vessels: { data, width } }) =>
    Uint8Array.from(data, (own, i) =>
      [i - 1, i - width].some((near) => data[near] === value) ? value : own,
    );
const exact: Truth = ({ vessels }) => Uint8Array.from(vessels.data);
const OBSERVERS: readonly (readonly [name: string, of: Truth, ink: Ink])[] = [
  ["thick", redrawn(1), "warm"],
  ["exact", exact, "accent"],
  ["thin", redrawn(0), "cool"],
];

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const predictions = (camera: number, of: Truth, count = EYES) =>
  eyes.slice(0, count).map((eye, i) => ({
    probability: answers[camera][i],
    truth: of(eye),
    fieldOfView: eye.fieldOfView.data,
  }));
const summaries: ImageSummary[] = predictions(0, exact).map((prediction) => ({
  counts: confusion(prediction),
  metrics: evaluate(prediction),
}));
const single = summaries.map(({ metrics }) => metrics.f1);
const intervalOf = (count: number): readonly [number, number] =>
  bootstrapIntervals(summaries.slice(0, count))!.macro.f1;
const groups = [4, EYES].map((count) => ({
  count,
  mean: meanOf(single.slice(0, count)),
  interval: intervalOf(count),
}));
const widthOf = ([low, high]: readonly [number, number]): string => (high - low).toFixed(3);
const curves = OBSERVERS.map(([name, of, ink]) => {
  const byEye = predictions(0, of).map(f1ByThreshold);
  const best = fitThreshold(byEye)!;
  return { name, ink, best, mean: (step: number) => meanOf(byEye.map((f1) => f1[step])) };
});
const bestOf = (wanted: string): string =>
  curves.find(({ name }) => name === wanted)!.best.threshold.toFixed(2);
/** The agreement of a drawing with the exact one. */
const agreement = (of: Truth): string =>
  meanOf(
    eyes.map(
      (eye) =>
        evaluate({
          probability: Float32Array.from(of(eye)),
          truth: exact(eye),
          fieldOfView: eye.fieldOfView.data,
        }).f1,
    ),
  ).toFixed(2);
const cameras = CAMERAS.map(([name], camera) => ({
  name,
  f1: meanOf(predictions(camera, exact, DISTURBED).map((prediction) => evaluate(prediction).f1)),
}));

/** The numbers of the model card: cells of the first row of a table that has some words in it. */
const card = readFileSync(join(root, "packages/model/weights/README.md"), "utf8").split("\n");
const cells = (...words: readonly string[]): string[] => {
  const row = card.find((each) => each.startsWith("|") && words.every((word) => each.includes(word)));
  if (row === undefined) throw new Error(`the model card has no row with ${words.join(", ")}`);
  return row
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
};
const first = (cell: string): string => /[\d.]+/.exec(cell)![0];
const f1OfCard = (set: string): string => cells(set, "full frame", "macro")[3];
const [inFrame, inField] = ["full frame", "field of view"].map((pixels) =>
  cells("CHASE_DB1", pixels, "macro"),
);
const stare = (observer: string): string[] => cells("STARE", observer);
const unseen = [cells("DRIVE test", "observer 1"), stare("observer ah"), cells("LES-AV"), cells("ORVS, 31")];
const range = (cell: number): readonly string[] =>
  unseen.map((row) => first(row[cell])).sort((a, b) => Number(a) - Number(b));
const secondObserver = card.find((each) => each.includes("second observer agrees"))!;

/** What networks of one camera alone lose on the other's test images, against the weights that ship. */
const training = readFileSync(join(root, "docs/training.md"), "utf8").split("\n");
const rowOf = (words: string): string[] =>
  training
    .find((each) => each.startsWith(`| ${words}`))!
    .split("|")
    .slice(2, 4);
const [shipsChase, shipsHrf] = rowOf("the weights that ship: stronger tones, two runs").map(Number);
const lost = [
  ...rowOf("trained on HRF alone")[0]
    .split(",")
    .map((f1) => shipsChase - Number(f1)),
  shipsHrf - Number(rowOf("trained on CHASE_DB1 alone")[1]),
];

export const numbers = {
  lostLeast: Math.min(...lost).toFixed(2),
  lostMost: Math.max(...lost).toFixed(2),
  chase: first(f1OfCard("CHASE_DB1")),
  chaseInterval: /\((.*)\)/.exec(f1OfCard("CHASE_DB1"))![1].replace("–", " to "),
  hrf: first(f1OfCard("HRF")),
  f1Field: first(inField[3]),
  accuracyFrame: inFrame[7],
  accuracyField: inField[7],
  aucFrame: inFrame[9],
  aucField: inField[9],
  observers: /F1 ([\d.]+\d)/.exec(secondObserver)![1],
  eyes: EYES,
  disturbed: DISTURBED,
  meanFour: groups[0].mean.toFixed(3),
  widthFour: widthOf(groups[0].interval),
  meanAll: groups[1].mean.toFixed(3),
  widthAll: widthOf(groups[1].interval),
  thickF1: agreement(redrawn(1)),
  thinF1: agreement(redrawn(0)),
  bestExact: bestOf("exact"),
  bestThick: bestOf("thick"),
  bestThin: bestOf("thin"),
  stareAh: stare("observer ah")[2],
  stareVk: stare("observer vk")[2],
  stareAhBest: first(stare("observer ah")[3]),
  stareVkBest: first(stare("observer vk")[3]),
  auc: meanOf(summaries.map(({ metrics }) => metrics.auc)).toFixed(3),
  aucLow: range(1)[0],
  aucHigh: range(1).at(-1)!,
  f1Low: range(2)[0],
  f1High: range(2).at(-1)!,
};

const [LOW, HIGH] = [Math.min(...single) - 0.01, Math.max(...single) + 0.01];
const onAxis = (value: number): number => 76 + ((value - LOW) / (HIGH - LOW)) * 270;
const dot = (x: number, y: number, ink: Ink): string =>
  box(x - 4, y - 4, 8, 8, { ink, filled: true, radius: 4 });
const STEP = 20;
const steps = Array.from({ length: 1000 / STEP - 1 }, (_, i) => STEP * (i + 1));
const F1_LOW = 0.5;
const place = (threshold: number, f1: number): [number, number] => [
  34 + threshold * 316,
  190 - ((f1 - F1_LOW) / (1 - F1_LOW)) * 170,
];

export const figures: Record<string, Figure> = {
  intervals: figure(
    {
      height: 132,
      title: "Intervals of a mean",
      description: groups
        .map(
          ({ count, mean, interval: [low, high] }) =>
            `${count} eyes: mean F1 ${mean.toFixed(3)}, 95 % interval ${low.toFixed(3)} to ${high.toFixed(3)}`,
        )
        .join("; "),
    },
    [
      ...groups.flatMap(({ count, mean, interval: [low, high] }, i) => {
        const y = 20 + 48 * i;
        return [
          text(4, y + 4, `${count} eyes`),
          box(onAxis(low), y - 12, onAxis(high) - onAxis(low), 24, { ink: "accent", filled: true }),
          ...single.slice(0, count).map((f1) => dot(onAxis(f1), y, "cool")),
          line([onAxis(mean), y - 16], [onAxis(mean), y + 16], { ink: "ink" }),
        ];
      }),
      line([76, 96], [352, 96]),
      ...[0.7, 0.75, 0.8, 0.85, 0.9, 0.95]
        .filter((value) => value >= LOW && value <= HIGH)
        .map((value) => text(onAxis(value), 112, value.toFixed(2), { ink: "soft", anchor: "middle" })),
      text(4, 128, "dots: eyes", { ink: "cool" }),
      text(100, 128, "line: their mean", { ink: "ink" }),
      text(216, 128, "bar: its interval", { ink: "accent" }),
    ],
  ),
  thresholds: figure(
    {
      height: 236,
      title: "F1 over the threshold for three observers",
      description: curves
        .map(
          ({ name, best }) =>
            `${name} observer: best F1 ${best.f1.toFixed(3)} at ${best.threshold.toFixed(2)}`,
        )
        .join("; "),
    },
    [
      line([34, 190], [352, 190]),
      line([34, 20], [34, 190]),
      ...[0.5, 0.6, 0.7, 0.8, 0.9, 1].map((f1) =>
        text(30, place(0, f1)[1] + 4, f1.toFixed(1), { ink: "soft", anchor: "end", size: 11 }),
      ),
      ...[0, 0.25, 0.5, 0.75, 1].map((threshold) =>
        text(place(threshold, 0)[0], 206, threshold, { ink: "soft", anchor: "middle", size: 11 }),
      ),
      line(place(0.5, F1_LOW), place(0.5, 1), { dashed: true }),
      ...curves.map(({ ink, mean }) =>
        curve(
          steps
            .map((step): [number, number] => [step / 1000, mean(step)])
            .filter(([, f1]) => f1 >= F1_LOW)
            .map(([threshold, f1]) => place(threshold, f1)),
          ink,
        ),
      ),
      ...curves.map(({ ink, best }) => dot(...place(best.threshold, best.f1), ink)),
      text(34, 228, "thick observer", { ink: "warm" }),
      text(144, 228, "exact truth", { ink: "accent" }),
      text(240, 228, "thin observer", { ink: "cool" }),
    ],
  ),
  cameras: figure(
    {
      height: 36 * cameras.length + 6,
      title: "Other cameras",
      description: cameras.map(({ name, f1 }) => `${name}: ${f1.toFixed(3)}`).join("; "),
    },
    cameras.flatMap(({ name, f1 }, i) => [
      text(4, 13 + 36 * i, name),
      box(4, 18 + 36 * i, 300 * f1, 12, { ink: i === 0 ? "cool" : "accent", filled: true }),
      text(10 + 300 * f1, 28 + 36 * i, f1.toFixed(3), { size: 11 }),
    ]),
  ),
};

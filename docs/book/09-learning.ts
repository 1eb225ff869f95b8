// The numbers and figures of chapter 9.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { adam, add, backward, mul, parameter, sgd, tensor } from "@saunet/core";
import { box, curve, type Figure, figure, line, text } from "../../scripts/book/svg.ts";
import { root } from "../../scripts/workspace.mjs";

/** A long narrow valley: ten times as steep along y as along x. */
const [START_X, START_Y] = [-4, 1.5];
function path(
  optimizerOf: typeof adam | typeof sgd,
  learningRate: number,
  steps: number,
): [number, number][] {
  const [x, y] = [parameter(tensor([START_X])), parameter(tensor([START_Y]))];
  const optimizer = optimizerOf({ x, y }, { learningRate });
  return Array.from({ length: steps + 1 }, (_, step) => {
    if (step > 0) {
      backward(add(mul(mul(x, x), 0.5), mul(mul(y, y), 5)));
      optimizer.step();
    }
    return [x.data[0], y.data[0]] as [number, number];
  });
}
const descended = path(sgd, 0.18, 24);
const adapted = path(adam, 0.4, 24);
const place = ([x, y]: readonly [number, number]): [number, number] => [270 + 62 * x, 90 - 34 * y];
const ellipse = (height: number): [number, number][] =>
  Array.from({ length: 49 }, (_, i) => {
    const angle = (i / 48) * 2 * Math.PI;
    return place([Math.sqrt(2 * height) * Math.cos(angle), Math.sqrt(height / 5) * Math.sin(angle)]);
  }).filter(([x]) => x > 0 && x < 360);

/** A recorded run: `saunet train --dataset synthetic`, its log as the command wrote it. */
interface Entry {
  readonly kind: string;
  readonly step: number;
  readonly loss: number;
  readonly seconds: number;
}
const log = readFileSync(join(root, "docs/book/run.jsonl"), "utf8")
  .trim()
  .split("\n")
  .map((each) => JSON.parse(each) as Entry & { readonly f1?: number });
const steps = log.filter(({ kind }) => kind === "step");
const smooth = steps.map((_, i) => {
  const near = steps.slice(Math.max(0, i - 9), i + 1);
  return near.reduce((sum, { loss }) => sum + loss, 0) / near.length;
});
const losses = [steps[0].loss, smooth.at(-1)!];
const stepPlace = (i: number, loss: number): [number, number] => [
  34 + (i / (steps.length - 1)) * 316,
  150 - loss * 125,
];

export const numbers = {
  steps: steps.length,
  minutes: (log.at(-1)!.seconds / 60).toFixed(0),
  f1: log.findLast(({ f1 }) => f1 !== undefined)!.f1!.toFixed(2),
  firstLoss: losses[0].toFixed(2),
  lastLoss: losses[1].toFixed(2),
  adamFirst: (adapted[1][1] - adapted[0][1]).toFixed(2),
};

export const figures: Record<string, Figure> = {
  valley: figure(
    {
      height: 188,
      title: "Gradient descent and Adam in a narrow valley",
      description:
        "Contour lines of a valley that is long in x and narrow in y. Plain gradient descent jumps from side to side while it creeps along; Adam walks along the valley nearly straight at first.",
    },
    [
      ...[0.4, 2, 5, 10].map((height) => curve(ellipse(height), "soft")),
      curve(descended.map(place), "warm"),
      curve(adapted.map(place), "accent"),
      ...[place([START_X, START_Y]), place([0, 0])].map(([x, y]) =>
        box(x - 4, y - 4, 8, 8, { ink: "ink", filled: true, radius: 4 }),
      ),
      text(8, 178, "gradient descent", { ink: "warm" }),
      text(120, 178, "Adam", { ink: "accent" }),
      text(170, 178, "24 steps each", { ink: "soft" }),
    ],
  ),
  run: figure(
    {
      height: 186,
      title: "The loss of a training run",
      description: `The loss of ${steps.length} steps, averaged over ten; it falls from ${losses[0].toFixed(2)} to ${losses[1].toFixed(2)}.`,
    },
    [
      line([34, 150], [352, 150]),
      line([34, 20], [34, 150]),
      text(28, 30, "1", { ink: "soft", anchor: "end" }),
      text(28, 154, "0", { ink: "soft", anchor: "end" }),
      curve(
        steps.map(({ loss }, i) => stepPlace(i, loss)),
        "soft",
      ),
      curve(smooth.map((loss, i) => stepPlace(i, loss))),
      text(34, 172, "step 1", { ink: "soft" }),
      text(352, 172, `step ${steps.length}`, { ink: "soft", anchor: "end" }),
    ],
  ),
};

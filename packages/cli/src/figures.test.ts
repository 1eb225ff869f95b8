// What an evaluation is in words, as JSON and as CSV.

import { METRIC_NAMES } from "@saunet/model";
import { describe, expect, it } from "vitest";
import { csvOf, describeEvaluation, imagesOf, jsonOf } from "./figures.ts";
import { evaluation, metricsFrom, network, people } from "./testing-evaluation.ts";

/** A line's cells. */
const cells = (line: string) => line.trim().split(/ {2,}/);
const digits = (first: number) => METRIC_NAMES.map((_, i) => (first + i / 100).toFixed(4));
const ends = (first: number) =>
  METRIC_NAMES.map((_, i) => `${(first + i / 100).toFixed(3)}–${(first + i / 100 + 0.1).toFixed(3)}`);

describe("an evaluation in words", () => {
  it("says what was tested, how long it took, and has a table for each comparison", () => {
    const [head, first, second, ...rest] = describeEvaluation(evaluation).split("\n\n");
    expect(rest).toEqual([]);
    expect(head.split("\n")).toEqual([
      "2 images of /pictures/CHASE_DB1 (chase, test), weights run/best.safetensors",
      "segmentation took 12.3 s, the figures 2 min; 95 % intervals from 1000 draws of the images",
    ]);
    const lines = first.split("\n");
    expect(lines[0]).toBe("network against 1st, threshold 0.4");
    expect(lines.slice(1, 10).map(cells)).toEqual([
      ["pixels", "mean", ...METRIC_NAMES],
      ["full frame", "macro", ...digits(0.31)],
      ["95 %", ...ends(0.35)],
      ["micro", ...digits(0.33)],
      ["95 %", ...ends(0.36)],
      ["field of view", "macro", ...digits(0.32)],
      ["95 %", ...ends(0.37)],
      ["micro", ...digits(0.34)],
      ["95 %", ...ends(0.38)],
    ]);
    expect(lines.slice(10).map(cells)).toEqual([
      [
        "pixels",
        "mean",
        "clDice",
        "pieces per vessel tree",
        "missed pieces",
        "spurious pieces",
        "calibration error",
      ],
      ["field of view", "macro", "0.7000", "1.20", "3.40", "5.60", "0.0100"],
      ["95 %", "0.650–0.750", "1.1–1.3", "–", "–", "–"],
      ["micro", "0.0123"],
    ]);
    const people = second.trimEnd().split("\n");
    expect(people[0]).toBe("2nd against 1st: how far people agree");
    expect(people.slice(2).map((line) => cells(line).slice(0, 3))).toEqual([
      ["full frame", "macro", "0.7100"],
      ["micro", "0.7300", "0.7400"],
      ["field of view", "macro", "0.7200"],
      ["micro", "0.7400", "0.7500"],
      ["pixels", "mean", "clDice"],
      ["field of view", "macro", "0.8000"],
    ]);
    expect(people.at(-1)).toMatch(/–$/);
  });

  it("tells of mirror images, a threshold that was fitted, images that failed and a name with escapes", () => {
    const [head] = describeEvaluation({
      ...evaluation,
      ...{ data: "a\u001b", tta: true, failed: [{ id: "b", error: "no" }], comparisons: [people] },
      fitted: { threshold: 0.37, f1: 0.81234, images: 1 },
    }).split("\n\n");
    expect(head.split("\n")).toEqual([
      "1 of 2 images of a\\x1b (chase, test), weights run/best.safetensors, mean over flips",
      "threshold 0.37 fitted on 1 training image, where it gives F1 0.8123",
      "segmentation took 12.3 s, the figures 2 min",
    ]);
    expect([imagesOf({ images: 1, failed: [] }), imagesOf(evaluation)]).toEqual(["1 image", "2 images"]);
  });
});

it("an evaluation as JSON has the network against the reference in front, and what failed where anything did", () => {
  const { images: _, failed: __, comparisons, ...settings } = evaluation;
  const { prediction: ___, truth: ____, ...front } = network;
  expect(jsonOf(evaluation)).toEqual({ ...settings, ...front, comparisons });
  const failed = [{ id: "b", error: "no" }];
  expect(jsonOf({ ...evaluation, failed })).toHaveProperty("failed", failed);
});

it("an evaluation as CSV has a line an image and comparison, its cells under their names", () => {
  const [heading, ...rows] = csvOf([network, people])
    .trimEnd()
    .split("\n")
    .map((line) => line.split(","));
  expect(heading).toEqual([
    ...["id", "prediction", "truth", "threshold"],
    ...["full", "fov"].flatMap((region) => METRIC_NAMES.map((name) => `${region}_${name}`)),
    ...["fov_clDice", "fov_pieces", "fov_missed", "fov_spurious", "fov_ece"],
  ]);
  expect(rows.map((row) => row.slice(0, 4))).toEqual([
    ["a", "network", "1st", "0.4"],
    ["b", "network", "1st", "0.4"],
    ["a", "2nd", "1st", ""],
  ]);
  const [, second] = rows;
  expect(second.slice(4, 11).map(Number)).toEqual(Object.values(metricsFrom(0.21)));
  expect(second.slice(11, 18).map(Number)).toEqual(Object.values(metricsFrom(0.71)));
  expect(second.slice(18)).toEqual(["2", "3", "4", "5", "6"]);
});

// How weights fare on photographs as other cameras might have taken them: F1 (full frame, mean of five training images of
// CHASE_DB1) under twelve disturbances, for each weights file. Training images, so that weights may be chosen by them.
//
//   npm run build && node scripts/disturb.mjs CHASE_DB1 [weights.safetensors …]

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { normal, randomState } from "@saunet/core";
import { readDataset } from "@saunet/data/files";
import { confusion, loadSegmenter, metricsFromConfusion, readWeights, segmenterOf } from "@saunet/model";
import { accelerate } from "@saunet/wasm";
import { root } from "./workspace.mjs";

const sharp = createRequire(join(root, "packages/data/package.json"))("sharp");
const LEFT_EYES = ["Image_01L", "Image_03L", "Image_05L", "Image_07L", "Image_09L"];

/** A disturbance of single bytes, as values from 0 to 1. */
const values = (change) => (photo) => ({
  ...photo,
  data: photo.data.map((byte, i) => Math.min(255, Math.max(0, 255 * change(byte / 255, i) + 0.5))),
});
const light = (gains) => values((value, i) => value * gains[i % 3]);

/** A disturbance that sharp knows. */
const edited = (edit) => async (photo) => {
  const { width, height, data } = photo;
  const encoded = await edit(sharp(data, { raw: { width, height, channels: 3 } }), photo);
  const decoded = await sharp(encoded).toColourspace("srgb").raw().toBuffer();
  return { width, height, data: new Uint8Array(decoded) };
};

const shrunk = edited(async (picture, { width, height }) => {
  const size = [width, height].map((side) => Math.round(side * 0.39));
  const small = await picture
    .resize(...size)
    .png()
    .toBuffer();
  return sharp(small).resize(width, height, { kernel: "cubic", fit: "fill" }).png().toBuffer();
});

function grainy(photo) {
  const { data } = normal([photo.height, photo.width, 3], randomState(1), { deviation: 0.06 });
  // The surround of a photograph is black, grain or none.
  return values((value, i) => (value > 0.05 ? value + data[i] : value))(photo);
}

const disturbances = {
  "shrunk to 12 pixels a degree and enlarged": shrunk,
  "JPEG of quality 15": edited((picture) => picture.jpeg({ quality: 15 }).toBuffer()),
  "luminance alone": edited((picture) => picture.greyscale().png().toBuffer()),
  "green channel alone": (photo) => values((_, i) => photo.data[i - (i % 3) + 1] / 255)(photo),
  "warm light": light([1.5, 1, 0.45]),
  "cold light": light([0.6, 1.1, 2]),
  darker: values((value) => value ** 1.9),
  lighter: values((value) => value ** 0.5),
  "half the contrast": values((value) => 0.25 + value / 2),
  "noise of deviation 0.06": grainy,
  "out of focus": edited((picture) => picture.blur(2.5).png().toBuffer()),
  sharpened: edited((picture) => picture.sharpen({ sigma: 4, m1: 2, m2: 2 }).png().toBuffer()),
};

const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
const printRow = (name, scores) => console.log([name, ...scores.map((f1) => f1.toFixed(4))].join("\t"));

/** The mean F1 of each segmenter. */
async function score(segmenters, eyes, disturb) {
  const photos = await Promise.all(eyes.map(({ photo }) => disturb(photo)));
  const scores = [];
  for (const { segment } of segmenters) {
    const figures = [];
    for (const [i, { truth }] of eyes.entries()) {
      const { probability } = await segment(photos[i]);
      figures.push(metricsFromConfusion(confusion({ probability, truth: truth.data })).f1);
    }
    scores.push(mean(figures));
  }
  return scores;
}

async function main([directory, ...files]) {
  if (directory === undefined) throw new Error("wants the folder of CHASE_DB1");
  const samples = await readDataset({ kind: "chase", directory, split: "train" });
  const eyes = await Promise.all(
    samples
      .filter(({ id }) => LEFT_EYES.includes(id))
      .map(async (sample) => ({
        photo: await sample.image(),
        truth: await sample.vessels(sample.observers[0]),
      })),
  );
  await accelerate();
  const segmenters =
    files.length === 0
      ? [await loadSegmenter()]
      : files.map((file) => segmenterOf(readWeights(readFileSync(file))));
  console.log(["disturbance", ...(files.length === 0 ? ["bundled"] : files)].join("\t"));
  printRow("none", await score(segmenters, eyes, (photo) => photo));
  const rows = [];
  for (const [name, disturb] of Object.entries(disturbances)) {
    const scores = await score(segmenters, eyes, disturb);
    rows.push(scores);
    printRow(name, scores);
  }
  printRow(
    "mean of the disturbed",
    segmenters.map((_, i) => mean(rows.map((scores) => scores[i]))),
  );
}

try {
  await main(process.argv.slice(2));
  process.exit();
} catch (error) {
  console.error(`disturb: ${error.message}`);
  process.exit(1);
}

// How weights fare on photographs as other cameras might have taken them: five training images of CHASE_DB1, disturbed in
// twelve ways, for each weights file that is named. Training images, so that weights may be chosen by them.
//
//   node scripts/disturb.mjs CHASE_DB1 [weights.safetensors …]

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { normal, randomState } from "@saunet/core";
import { root } from "./workspace.mjs";

const [dataset, ...files] = process.argv.slice(2);
if (dataset === undefined) {
  console.error("usage: node scripts/disturb.mjs CHASE_DB1 [weights.safetensors …]");
  process.exit(2);
}
const IDS = ["Image_01L", "Image_03L", "Image_05L", "Image_07L", "Image_09L"];
const sharp = createRequire(join(root, "packages/data/package.json"))("sharp");

/** A disturbance of single values from 0 to 1, of channel 0, 1 or 2. */
const values = (change) => async (photo) => {
  const { data, info } = await photo.raw().toBuffer({ resolveWithObject: true });
  const changed = data.map((value, i) =>
    Math.min(255, Math.max(0, 255 * change(value / 255, i % 3, i) + 0.5)),
  );
  return sharp(changed, { raw: info });
};
const light = (...gains) => values((value, channel) => value * gains[channel]);

async function shrunk(photo) {
  const { width, height } = await photo.metadata();
  const small = await photo
    .resize(Math.round(width * 0.39), Math.round(height * 0.39))
    .png()
    .toBuffer();
  return sharp(small).resize(width, height, { kernel: "cubic", fit: "fill" });
}
async function grainy(photo) {
  const { width, height } = await photo.metadata();
  const { data } = normal([height, width, 3], randomState(1), { deviation: 0.06 });
  // The surround of a photograph is black, grain or none.
  return values((value, _, i) => (value > 0.05 ? value + data[i] : value))(photo);
}

const disturbances = {
  none: (photo) => photo,
  "shrunk to 12 pixels a degree and enlarged": shrunk,
  "JPEG of quality 15": async (photo) => sharp(await photo.jpeg({ quality: 15 }).toBuffer()),
  "luminance alone": async (photo) => sharp(await photo.greyscale().png().toBuffer()).toColourspace("srgb"),
  "green channel alone": async (photo) =>
    sharp(await photo.extractChannel("green").png().toBuffer()).toColourspace("srgb"),
  "warm light": light(1.5, 1, 0.45),
  "cold light": light(0.6, 1.1, 2),
  darker: values((value) => value ** 1.9),
  lighter: values((value) => value ** 0.5),
  "half the contrast": values((value) => 0.25 + value / 2),
  "noise of deviation 0.06": grainy,
  "out of focus": (photo) => photo.blur(2.5),
  sharpened: (photo) => photo.sharpen({ sigma: 4, m1: 2, m2: 2 }),
};

/** Writes the images and their truth as a plain folder. */
async function write(folder, disturb) {
  for (const part of ["images", "masks"]) mkdirSync(join(folder, part), { recursive: true });
  for (const id of IDS) {
    const photo = await disturb(sharp(join(dataset, `${id}.jpg`)).removeAlpha());
    await photo.png().toFile(join(folder, "images", `${id}.png`));
    await sharp(join(dataset, `${id}_1stHO.png`))
      .png()
      .toFile(join(folder, "masks", `${id}.png`));
  }
}

/** Macro F1 over the full frame. */
function score(folder, weights) {
  const argv = ["evaluate", "--dataset", "folder", "--data", folder, "--json"];
  const command = [
    join(root, "packages/cli/dist/main.js"),
    ...argv,
    ...(weights ? ["--weights", weights] : []),
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, {
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(stderr.trim());
  const { images } = JSON.parse(stdout);
  return images.reduce((sum, { full }) => sum + full.f1, 0) / images.length;
}

const out = mkdtempSync(join(tmpdir(), "saunet-disturb-"));
try {
  const weights = files.length === 0 ? [undefined] : files;
  console.log(["disturbance", ...weights.map((file) => file ?? "bundled")].join("\t"));
  const sums = weights.map(() => 0);
  for (const [name, disturb] of Object.entries(disturbances)) {
    const folder = join(out, name);
    await write(folder, disturb);
    const scores = weights.map((file) => score(folder, file));
    if (name !== "none")
      scores.forEach((f1, i) => {
        sums[i] += f1;
      });
    console.log([name, ...scores.map((f1) => f1.toFixed(4))].join("\t"));
  }
  const disturbed = Object.keys(disturbances).length - 1;
  console.log(["mean of the disturbed", ...sums.map((sum) => (sum / disturbed).toFixed(4))].join("\t"));
} finally {
  rmSync(out, { recursive: true });
}

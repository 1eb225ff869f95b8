// What `saunet calibrate` gains and loses with few photographs: 100 draws of 1, 2, 3, 5 and 10 from each of four sets (CHASE_DB1 by
// either observer, the test images of HRF, and all of HRF), each judged by the F1 of the set's other photographs, full frame, mean. Where the weights
// are near their best at 0.5 there is nothing to gain, so the logarithms of all odds are shifted, too, by 1 and by 2 either way:
// so differ the cameras and observers whose best thresholds are known (0.14 to 0.93). Beside it what the best threshold
// of the same photographs does.
//
//   npm run build && node scripts/measure-calibration.mjs CHASE_DB1 HRF

import { permutation, randomState } from "@saunet/core";
import { readDataset } from "@saunet/data/files";
import { f1ByThreshold, fitCalibration, fitThreshold, loadSegmenter } from "@saunet/model";
import { accelerate } from "@saunet/wasm";

const SHIFTS = [0, -2, -1, 1, 2];
const COUNTS = [1, 2, 3, 5, 10];
const DRAWS = 100;
/** A loss below is none that anybody would notice. */
const LOSS = 0.0005;

const RULES = {
  calibrate: (curves) => fitCalibration(curves).threshold,
  best: (curves) => fitThreshold(curves).threshold,
};

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const f1At = (curves, threshold) => mean(curves.map((curve) => curve[Math.round(1000 * threshold)]));

/** F1 by threshold of a photograph at each shift, against each observer. */
async function curvesOf(sample, segmenter) {
  const { probability } = await segmenter.segment(await sample.image(), { maxPixels: 1e8 });
  const byShift = SHIFTS.map((shift) => {
    const factor = Math.exp(shift);
    return probability.map((p) => (p * factor) / (1 - p + p * factor));
  });
  return Promise.all(
    sample.observers.map(async (observer) => {
      const { data: truth } = await sample.vessels(observer);
      return byShift.map((shifted) => f1ByThreshold({ probability: shifted, truth }));
    }),
  );
}

async function setsOf([chase, hrf]) {
  const segmenter = await loadSegmenter();
  const read = async (kind, directory, split) => {
    const all = [];
    for (const sample of await readDataset({ kind, directory, split })) {
      all.push(await curvesOf(sample, segmenter));
    }
    return all;
  };
  const [eyes, training, test] = [
    await read("chase", chase, "all"),
    await read("hrf", hrf, "train"),
    await read("hrf", hrf, "test"),
  ];
  return {
    "CHASE_DB1, first": eyes.map(([first]) => first),
    "CHASE_DB1, second": eyes.map(([, second]) => second),
    "HRF, test": test.map(([first]) => first),
    HRF: [...training, ...test].map(([first]) => first),
  };
}

/** What each rule gains over 0.5 in every draw, and what is to be gained. */
function draws(photographs, count, shift, seed) {
  const curves = photographs.map((byShift) => byShift[SHIFTS.indexOf(shift)]);
  const gains = Object.fromEntries(Object.keys(RULES).map((rule) => [rule, []]));
  for (let draw = 0; draw < DRAWS; draw++) {
    const order = permutation(curves.length, randomState(seed + draw));
    const [few, others] = [order.slice(0, count), order.slice(count)].map((part) =>
      Array.from(part, (i) => curves[i]),
    );
    for (const [rule, thresholdOf] of Object.entries(RULES)) {
      gains[rule].push(f1At(others, thresholdOf(few)) - f1At(others, 0.5));
    }
  }
  return { gains, most: fitThreshold(curves).f1 - f1At(curves, 0.5) };
}

async function main(directories) {
  if (directories.length !== 2) throw new Error("wants the folders of CHASE_DB1 and of HRF");
  await accelerate();
  const sets = await setsOf(directories);
  for (const [name, photographs] of Object.entries(sets)) {
    const curves = photographs.map(([plain]) => plain);
    const { threshold, f1 } = fitThreshold(curves);
    console.log(
      `${name}: ${curves.length}, F1 ${f1At(curves, 0.5).toFixed(4)}, ${f1.toFixed(4)} at ${threshold}`,
    );
  }
  console.log("rule\tphotographs\tshift\tmean gain\tof what is to be gained\tdraws that lose\tlargest loss");
  for (const count of COUNTS) {
    for (const size of [0, 1, 2]) {
      const shifts = SHIFTS.filter((shift) => Math.abs(shift) === size);
      const found = Object.values(sets).flatMap((photographs) =>
        shifts.map((shift) => draws(photographs, count, shift, 1)),
      );
      for (const rule of Object.keys(RULES)) {
        const gains = found.flatMap(({ gains }) => gains[rule]);
        const kept = mean(gains) / mean(found.map(({ most }) => most));
        const losing = gains.filter((gain) => gain < -LOSS).length;
        const losses = [`${losing} of ${gains.length}`, Math.max(0, -Math.min(...gains)).toFixed(4)];
        console.log(
          [rule, count, size, mean(gains).toFixed(4), size === 0 ? "" : kept.toFixed(2), ...losses].join(
            "\t",
          ),
        );
      }
    }
  }
}

try {
  await main(process.argv.slice(2));
  process.exit();
} catch (error) {
  console.error(`measure-calibration: ${error.message}`);
  process.exit(1);
}

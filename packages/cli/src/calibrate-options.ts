// saunet calibrate, as it is declared.

import type { Command } from "commander";
import type { CalibrateOptions } from "./commands/calibrate.ts";
import { accelerated, examples, type Finish, type ThreadOptions } from "./declaring.ts";
import { integer } from "./options.ts";
import type { Host } from "./output.ts";
import {
  data,
  dataset,
  json,
  limit,
  maxPixels,
  observer,
  scaling,
  split,
  threads,
  weights,
} from "./shared-options.ts";

/** Declares the command. */
export function addCalibrate(program: Command, host: Host, finish: Finish): void {
  program
    .command("calibrate")
    .description(
      "fit the threshold to a few labelled photographs of a camera or an observer; nothing else changes",
    )
    .addOption(dataset())
    .requiredOption(...data)
    .requiredOption("-o, --out <file>", "the file to write, for --calibration of segment and evaluate")
    .addOption(split("which images (default: train, or all of a plain folder)"))
    .option(...limit)
    .option("--seed <n>", "seed of the choice of --limit", integer(0), 1)
    .option(...observer)
    .option(...weights)
    .option(...scaling)
    .option(...maxPixels)
    .option(...threads)
    .option(...json)
    .addHelpText(
      "after",
      examples(
        "saunet calibrate --dataset folder --data few -o camera.json",
        "saunet segment photo.jpg --calibration camera.json",
        "saunet calibrate --dataset hrf --data HRF --split train --limit 5 --seed 2 -o hrf.json",
      ),
    )
    .action(async (options: CalibrateOptions & ThreadOptions) => {
      const { calibrate } = await import("./commands/calibrate.ts");
      return finish(accelerated(options, host, () => calibrate(options, host)));
    });
}

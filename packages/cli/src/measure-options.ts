// saunet measure, as it is declared.

import { NO_MEDICAL_DEVICE } from "@saunet/data/measure";
import type { Command } from "commander";
import type { MeasureCommandOptions } from "./commands/measure.ts";
import { examples, type Finish } from "./declaring.ts";
import { disc, positive } from "./options.ts";
import type { Host } from "./output.ts";
import { json, maxPixels } from "./shared-options.ts";

/** Declares the command. */
export function addMeasure(program: Command, host: Host, finish: Finish): void {
  program
    .command("measure")
    .description(
      `measure vessels: density, length, width, branching, tortuosity, fractal dimension. ${NO_MEDICAL_DEVICE}`,
    )
    .argument(
      "<masks...>",
      "masks of vessels, or folders of them (of a folder that saunet segment wrote, its masks)",
    )
    .option(
      "--photographs <path>",
      "their photographs, a file or a folder: the fields of view are found in them",
    )
    .option("--fields <path>", "masks of their fields of view, a file or a folder")
    .option("--micrometres-per-pixel <s>", "the side of a pixel on the retina", positive)
    .option(
      "--disc <x,y,r>",
      "the optic disc of one photograph, in pixels, or auto to look for it: adds the zones B and C",
      disc,
    )
    .option("--arteries <path>", "masks of arteries: with the disc and the veins adds CRAE, CRVE and AVR")
    .option("--veins <path>", "masks of veins")
    .option("-o, --out <folder>", "write pictures of what was measured")
    .option("--overwrite", "write over pictures that saunet did not write")
    .option("--csv <file>", "write the figures of each mask")
    .option(...maxPixels)
    .option(...json)
    .addHelpText(
      "after",
      examples(
        "saunet segment left.jpg right.jpg -o out",
        "saunet measure out --photographs photos --disc auto --csv figures.csv -o measured",
        "saunet measure left-mask.png --photographs left.jpg --disc 640,512,70 --micrometres-per-pixel 7.2",
      ),
    )
    .action((masks: string[], options: MeasureCommandOptions) =>
      finish(import("./commands/measure.ts").then(({ measure }) => measure(masks, options, host))),
    );
}

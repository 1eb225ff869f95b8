// The command line: commands, options, and what becomes of an error. The work itself is in commands/.

import { readFileSync } from "node:fs";
import { inspect as inspectValue } from "node:util";
import { DATASET_KINDS } from "@saunet/data/files";
import { saUNetV2 } from "@saunet/model";
import { Command, CommanderError, Option } from "commander";
import { addAdapt } from "./adapt-options.ts";
import { addCalibrate } from "./calibrate-options.ts";
import type { AverageOptions } from "./commands/average.ts";
import type { EvaluateOptions } from "./commands/evaluate.ts";
import type { ExportOptions } from "./commands/export.ts";
import type { ImportCommandOptions } from "./commands/import.ts";
import type { InspectOptions } from "./commands/inspect.ts";
import type { ProfileOptions } from "./commands/profile.ts";
import type { ReportCommandOptions } from "./commands/report.ts";
import type { SegmentCommandOptions } from "./commands/segment.ts";
import type { TrainOptions } from "./commands/train.ts";
import { accelerated, examples, type Finish, type ThreadOptions } from "./declaring.ts";
import { DONE, exitCodeOf, explain } from "./errors.ts";
import { addMeasure } from "./measure-options.ts";
import { classNames, counts, integer, MOST_SYNTHETIC_SAMPLES, oneMore, positive, upTo } from "./options.ts";
import { complain, type Host } from "./output.ts";
import { TRAINING_RECIPES } from "./recipes.ts";
import { addScreening } from "./screening.ts";
import {
  calibration,
  data,
  dataset,
  json,
  maxPixels,
  network,
  observers,
  padTo,
  photographSize,
  scaling,
  split,
  threads,
  threshold,
  weights,
} from "./shared-options.ts";
import { printableLines } from "./terminal.ts";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};

/**
 * Runs the command.
 *
 * @param argv what follows `saunet`
 * @returns the exit code
 */
export async function run(argv: readonly string[], host: Host): Promise<number> {
  let exitCode: number = DONE;
  const program = commandLine(host, async (work) => {
    exitCode = await work;
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (error) {
    // Help and version arrive here too, after they have been shown.
    if (error instanceof CommanderError && error.exitCode === 0) return DONE;
    const isBare = error instanceof CommanderError && error.code === "commander.help";
    complain(host, isBare ? "no command given; see saunet --help" : explain(error));
    if (host.debug) host.stderr.write(`${printableLines(inspectValue(error))}\n`);
    return exitCodeOf(error);
  }
}

function commandLine(host: Host, finish: Finish): Command {
  const program = new Command("saunet")
    .description("Find the vessels in photographs of the retina, and train networks that do (SA-UNetv2).")
    .version(version, "-V, --version", "print the version")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void host.stdout.write(text),
      // Complaints come back as errors and are reported in one line by `run`.
      writeErr: () => {},
    })
    .addHelpText("after", examples("saunet segment photo.jpg -o out", "saunet inspect --size 584x568"));
  addSegment(program, host, finish);
  addTrain(program, host, finish);
  addEvaluate(program, host, finish);
  addCalibrate(program, host, finish);
  addAdapt(program, host, finish);
  addMeasure(program, host, finish);
  addReport(program, host, finish);
  addInspect(program, host, finish);
  addProfile(program, host, finish);
  addAverage(program, host, finish);
  addImport(program, host, finish);
  addExport(program, host, finish);
  addScreening(program, host, finish);
  return program;
}

function addSegment(program: Command, host: Host, finish: Finish): void {
  program
    .command("segment")
    .description("write the vessels of photographs: probability map, mask and overlay; or a map of classes")
    .argument(
      "[images...]",
      "photographs (JPEG, PNG, TIFF, WebP, GIF, PPM, PGM, DICOM; default: a built-in synthetic picture)",
    )
    .option("-o, --out <folder>", "where to write", "saunet-out")
    .option(...weights)
    .option(...threshold)
    .option(...calibration)
    .option(...scaling)
    .option(...padTo)
    .option(
      "--dicom",
      "of DICOM photographs also write a segmentation object and an overlay that refer to them",
    )
    .option("--overwrite", "write over pictures that saunet segment did not write")
    .option(...maxPixels)
    .option(...threads)
    .option(...json)
    .addHelpText(
      "after",
      examples(
        "saunet segment",
        "saunet segment left.jpg right.jpg -o out",
        "saunet segment --json photo.tif",
      ),
    )
    .action(async (images: string[], options: SegmentCommandOptions & ThreadOptions) => {
      const { segment } = await import("./commands/segment.ts");
      return finish(accelerated(options, host, () => segment(images, options, host)));
    });
}

/** Synthetic pictures come out of no folder. */
const TRAINING_KINDS = [...DATASET_KINDS, "synthetic"];

function addTrain(program: Command, host: Host, finish: Finish): void {
  program
    .command("train")
    .description("train a network on photographs and masks drawn by hand, or on synthetic pictures")
    .addOption(
      new Option(
        "--dataset <kind>",
        "how the photographs and masks are laid out; again to mix several data sets",
      )
        .choices(TRAINING_KINDS)
        .argParser(oneMore(TRAINING_KINDS)),
    )
    .option("--data <folder>", "where the photographs and masks of each data set are", oneMore())
    .option("-o, --out <folder>", "where to write settings, log, checkpoints and weights")
    .option("--resume <folder>", "resume a run that ended or was killed, with its settings")
    .addOption(
      new Option("--recipe <name>", "the way to train: our own, or the paper's")
        .choices(TRAINING_RECIPES)
        .default("best"),
    )
    .option(
      "--classes <names>",
      "classes to find instead of vessels, such as artery,vein; needs synthetic pictures",
      classNames,
    )
    .addOption(network(`the network (default: that of --weights, or ${saUNetV2.name})`))
    .option("--weights <file>", "start from these weights instead of fresh ones")
    .option("--epochs <n>", "epochs (default: the recipe's)", integer(1))
    .option("--steps <n>", "steps in an epoch (default: the recipe's)", integer(1))
    .option("--batch <n>", "pictures in a step (default: the recipe's)", integer(1))
    .option(
      "--micro-batch <n>",
      "pictures of a step in memory at a time; the step is that of the whole batch (default: the recipe's)",
      integer(1),
    )
    .option("--crop <n>", "side of the crops in pixels (default: the recipe's)", integer(8))
    .option("--learning-rate <x>", "highest learning rate of Adam (default: the recipe's)", positive)
    .option(
      "--validation <n>",
      "training images of each data set kept back to validate with (default: a tenth); with 0 the last weights count as the best",
      integer(0),
    )
    .option("--validate-every <n>", "epochs between validations", integer(1), 1)
    .option(...observers)
    .option("--picture-size <n>", "side of the synthetic pictures", integer(32), 592)
    .option(
      "--minutes <m>",
      "stop after this many minutes, when the learning rate is at its lowest",
      positive,
    )
    .option("--seed <n>", "seed of everything random", integer(0), 1)
    .option(
      "--report",
      "at the end, test the best weights on the test images and write report.html (the default)",
    )
    .option("--no-report", "write no report; also for later --resume")
    .option(...maxPixels)
    .option(...threads)
    .option(...json)
    .addHelpText(
      "after",
      examples(
        "saunet train --dataset synthetic --minutes 10 -o run",
        "saunet train --dataset chase --data CHASE_DB1 --dataset hrf --data HRF -o run",
        "saunet train --dataset synthetic --classes artery,vein --minutes 10 -o run",
        "saunet train --resume run",
        "saunet segment photo.jpg --weights run/best.safetensors",
      ),
    )
    .action(async (options: TrainOptions & ThreadOptions) => {
      const { train } = await import("./commands/train.ts");
      return finish(accelerated(options, host, () => train(options, host)));
    });
}

function addEvaluate(program: Command, host: Host, finish: Finish): void {
  program
    .command("evaluate")
    .description("compare a network's vessels, or the classes it tells apart, with the truth")
    .addOption(dataset("synthetic"))
    .option(...data)
    .option("--images <n>", "how many synthetic pictures (default: 10)", upTo(1, MOST_SYNTHETIC_SAMPLES))
    .option("--picture-size <n>", "side of the synthetic pictures (default: 592)", integer(32))
    .addOption(split("which images (default: test, or all of a plain folder)"))
    .option("--csv <file>", "write the figures of each image")
    .option(...weights)
    .option(...threshold)
    .option(...calibration)
    .option("--fit-threshold", "also fit a threshold to the training images, and print both")
    .option("--tta", "average over the photograph and its mirror images (four times the work)")
    .option(...scaling)
    .option(...padTo)
    .option(...maxPixels)
    .option(...threads)
    .option(...json)
    .addHelpText(
      "after",
      examples(
        "saunet evaluate --dataset chase --data CHASE_DB1 --csv figures.csv",
        "saunet evaluate --dataset hrf --data HRF --weights run/best.safetensors --fit-threshold",
        "saunet evaluate --dataset synthetic --weights run/best.safetensors",
      ),
    )
    .action(async (options: EvaluateOptions & ThreadOptions) => {
      const { evaluate } = await import("./commands/evaluate.ts");
      return finish(accelerated(options, host, () => evaluate(options, host)));
    });
}

function addReport(program: Command, host: Host, finish: Finish): void {
  program
    .command("report")
    .description("draw a training run and test its weights, in one HTML file beside them")
    .argument("<run>", "the folder that saunet train wrote")
    .addOption(
      new Option("--dataset <kind>", "test on this data set instead of the run's own; again for more")
        .choices(DATASET_KINDS)
        .argParser(oneMore(DATASET_KINDS)),
    )
    .option("--data <folder>", "where the photographs and masks of each data set are", oneMore())
    .option("--weights <file>", "a safetensors file (default: the best of the run)")
    .option(...threshold)
    .option("--fit-threshold", "also fit a threshold to the training images")
    .option("--tta", "average over the photograph and its mirror images (four times the work)")
    .option(...maxPixels)
    .option(...threads)
    .option(...json)
    .addHelpText("after", examples("saunet report run", "saunet report run --dataset hrf --data HRF"))
    .action(async (run: string, options: ReportCommandOptions & ThreadOptions) => {
      const { report } = await import("./commands/report.ts");
      return finish(accelerated(options, host, () => report(run, options, host)));
    });
}

function addAverage(program: Command, host: Host, finish: Finish): void {
  program
    .command("average")
    .description("average the weights of several runs that began at the same ones")
    .argument("<weights...>", "weights files of one network, two or more")
    .requiredOption("-o, --out <file>", "the weights file to write")
    .option(...json)
    .addHelpText(
      "after",
      examples("saunet average a/last.safetensors b/last.safetensors -o both.safetensors"),
    )
    .action((files: string[], options: AverageOptions) =>
      finish(import("./commands/average.ts").then(({ average }) => average(files, options, host))),
    );
}

function addInspect(program: Command, host: Host, finish: Finish): void {
  program
    .command("inspect")
    .description("list the operators of a network with shapes, parameters and FLOPs")
    .argument("[weights]", "a weights file, whose network it is")
    .addOption(network(`the network (default: that of the file, or ${saUNetV2.name})`))
    .addOption(photographSize().default({ height: 592, width: 592 }, "592x592"))
    .option("--memory", "print what a run on this machine holds in memory, and why so much")
    .option(...threads)
    .option(...json)
    .addHelpText(
      "after",
      examples(
        "saunet inspect",
        "saunet inspect --network sa-unet --json",
        "saunet inspect weights.safetensors",
      ),
    )
    .action((file: string | undefined, options: InspectOptions & ThreadOptions) => {
      const work = async () => (await import("./commands/inspect.ts")).inspect(file, options, host);
      return finish(options.memory ? accelerated(options, host, work) : work());
    });
}

function addProfile(program: Command, host: Host, finish: Finish): void {
  program
    .command("profile")
    .description("time every step of a run: milliseconds, GFLOP/s, bytes moved, threads")
    .argument("[image]", "a photograph (default: a synthetic one)")
    .addOption(photographSize("height and width of the synthetic photograph (default: 592x592)"))
    .option("--runs <n>", "timed runs, of which the medians are shown", integer(1), 9)
    .option("--trace <file>", "write the run as trace events, for a trace viewer such as ui.perfetto.dev")
    .option(...weights)
    .option(...maxPixels)
    .option(...threads)
    .option(...json)
    .addHelpText(
      "after",
      examples("saunet profile --threads 1", "saunet profile photo.jpg --trace trace.json"),
    )
    .action(async (photo: string | undefined, options: ProfileOptions & ThreadOptions) => {
      const { profile } = await import("./commands/profile.ts");
      return finish(accelerated(options, host, (threads) => profile(photo, options, host, threads)));
    });
}

// What the two commands below build on takes a while to load, so it is loaded when they run.

function addImport(program: Command, host: Host, finish: Finish): void {
  program
    .command("import")
    .description("import weights from Keras (.h5, .weights.h5, .keras) or PyTorch (safetensors)")
    .argument("<file>", "what Keras saved, or PyTorch with the lines in docs/interop.md")
    .requiredOption("-o, --out <file>", "the weights file to write")
    .addOption(
      new Option("--layout <framework>", "whose file it is (default: recognised from its bytes)").choices([
        "keras",
        "torch",
      ]),
    )
    .addOption(network("the network that it must be (default: recognised from its layers)"))
    .option("--channels <list>", "channels of its stages, such as 16,32,48,64", counts)
    .option("--groups <n>", "groups of its normalisation, which most files do not say", integer(1))
    .option("--half", "store 16-bit floats")
    .option(...json)
    .addHelpText(
      "after",
      examples(
        "saunet import SA_UNetv2.h5 --groups 8 -o weights.safetensors",
        "saunet import model.keras --network sa-unet -o weights.safetensors",
        "saunet segment photo.jpg --weights weights.safetensors",
      ),
    )
    .action((file: string, options: ImportCommandOptions) =>
      finish(import("./commands/import.ts").then(({ importWeights }) => importWeights(file, options, host))),
    );
}

function addExport(program: Command, host: Host, finish: Finish): void {
  program
    .command("export")
    .description("write a network for other programs: ONNX, or a weights file")
    .option("--onnx <file>", "write an ONNX model")
    .addOption(photographSize("fix height and width of the ONNX model"))
    .option("--dynamic", "leave height and width of the ONNX model open (the default)")
    .option("--batch <n>", "fix the batch size of the ONNX model", integer(1))
    .option("--opset <n>", "version of ONNX's operators, 13 to 21 (default: 17)", integer(1))
    .option("--safetensors <file>", "write a weights file")
    .option("--half", "store 16-bit floats in the weights file")
    .option(...weights)
    .option(...json)
    .addHelpText(
      "after",
      examples(
        "saunet export --onnx model.onnx",
        "saunet export --onnx model.onnx --size 592x592 --opset 18",
        "saunet export --weights run/best.safetensors --safetensors half.safetensors --half",
      ),
    )
    .action((options: ExportOptions) =>
      finish(import("./commands/export.ts").then(({ exportNetwork }) => exportNetwork(options, host))),
    );
}

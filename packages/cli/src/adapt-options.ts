// saunet adapt, as it is declared.

import type { Command } from "commander";
import type { AdaptOptions } from "./commands/adapt.ts";
import { accelerated, examples, type Finish, type ThreadOptions } from "./declaring.ts";
import { integer, positive } from "./options.ts";
import type { Host } from "./output.ts";
import { data, dataset, json, limit, maxPixels, observers, threads, weights } from "./shared-options.ts";

/** Declares the command. */
export function addAdapt(program: Command, host: Host, finish: Finish): void {
  program
    .command("adapt")
    .description(
      "fine-tune weights on a handful of labelled photographs; some are kept back and decide between before and after",
    )
    .addOption(dataset())
    .requiredOption(...data)
    .requiredOption("-o, --out <folder>", "where to write the run; its best.safetensors is the result")
    .option(...limit)
    .option("--validation <n>", "photographs kept back, at least (default: a third)", integer(1))
    .option(...observers)
    .option(...weights)
    .option("--epochs <n>", "epochs (default: 6)", integer(1))
    .option("--steps <n>", "steps in an epoch (default: 60)", integer(1))
    .option("--batch <n>", "crops in a step (default: 3, then 2)", integer(1))
    .option("--crop <n>", "side of the crops in pixels (default: 256, then 352)", integer(8))
    .option("--learning-rate <x>", "highest learning rate of Adam (default: 1e-3)", positive)
    .option("--minutes <m>", "stop after so many minutes, at the lowest learning rate", positive, 10)
    .option("--seed <n>", "seed of everything random, the choice of --limit included", integer(0), 1)
    .option(...maxPixels)
    .option(...threads)
    .option(...json)
    .addHelpText(
      "after",
      examples(
        "saunet adapt --dataset folder --data few -o adapted",
        "saunet segment photo.jpg --weights adapted/best.safetensors",
        "saunet adapt --dataset chase --data CHASE_DB1 --observer 2ndHO --limit 5 -o second",
      ),
    )
    .action(async (options: AdaptOptions & ThreadOptions) => {
      const { adapt } = await import("./commands/adapt.ts");
      return finish(accelerated(options, host, () => adapt(options, host)));
    });
}

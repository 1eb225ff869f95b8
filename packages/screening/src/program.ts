// The command line of `saunet serve` and `saunet screen`.

import { readFileSync } from "node:fs";
import { Command } from "commander";
import {
  type Host,
  integer,
  json,
  maxPixels,
  padTo,
  positive,
  printableLines,
  scaling,
  threads,
  threshold,
  upTo,
  weights,
} from "saunet/internal";
import type { CollectOptions } from "./queue/collect.ts";
import type { QueueOptions } from "./queue/status.ts";
import type { SubmitOptions } from "./queue/submit.ts";
import type { WorkOptions } from "./queue/work.ts";
import type { ServeOptions } from "./serve.ts";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};

/**
 * Runs `saunet serve` or `saunet screen`.
 *
 * @param argv what follows `saunet`
 * @returns the exit code
 * @throws what the command tells in one line
 */
export async function run(argv: readonly string[], host: Host): Promise<number> {
  let exitCode = 0;
  const finish = async (work: Promise<number>) => {
    exitCode = await work;
  };
  const program = new Command("saunet").exitOverride().configureOutput({
    writeOut: (text) => void host.stdout.write(printableLines(text)),
    // Complaints come back as errors and are reported in one line by the command.
    writeErr: () => {},
  });
  addServe(program, host, finish);
  addScreen(program, host, finish);
  await program.parseAsync(argv, { from: "user" });
  return exitCode;
}

/** Takes the exit code of a command. */
type Finish = (work: Promise<number>) => Promise<void>;

const examples = (...lines: string[]) => `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}`;

function addServe(program: Command, host: Host, finish: Finish): void {
  program
    .command("serve")
    .description("answer photographs over HTTP; what it can do is at /docs")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--port <n>", "port to listen on; 0 for any that is free", upTo(0, 65535), 8080)
    .option("--token-file <file>", "file with the token that requests must carry (or SAUNET_TOKEN)")
    .option("--max-bytes <n>", "refuse larger bodies", integer(1), 64 * 2 ** 20)
    .option("--seconds <s>", "time for a body to arrive, and for its answer", positive, 60)
    .option("--waiting <n>", "requests that may wait; more are answered 429", integer(0), 8)
    .option(...maxPixels)
    .option(...weights)
    .option(...threads)
    .addHelpText(
      "after",
      examples(
        "saunet serve",
        "curl --data-binary @photo.jpg -H 'Content-Type: image/jpeg' -H 'Accept: image/png' localhost:8080/v1/segmentations -o mask.png",
      ),
    )
    .action(async (options: ServeOptions) => {
      const { serve } = await import("./serve.ts");
      return finish(serve(options, version, host));
    });
}

const queue = ["--queue <url>", "where Redis is: redis://HOST:PORT (or SAUNET_QUEUE)"] as const;

function addScreen(program: Command, host: Host, finish: Finish): void {
  const screen = program
    .command("screen")
    .description("segment a queue of photographs with workers on any machine that sees the files");
  screen
    .command("submit")
    .description("put photographs into the queue; what is there or done already is not added again")
    .argument("<photographs...>", "files, folders, URLs; - for a list of them on standard input")
    .requiredOption("-o, --out <folder>", "where workers write the results")
    .option(...queue)
    .option(...weights)
    .option(...threshold)
    .option(...scaling)
    .option(...padTo)
    .option(...maxPixels)
    .option(...json)
    .addHelpText(
      "after",
      examples("saunet screen submit photographs -o results", "find . | saunet screen submit - -o results"),
    )
    .action(async (named: string[], options: SubmitOptions) => {
      const { submit } = await import("./queue/submit.ts");
      return finish(submit(named, options, host));
    });
  screen
    .command("work")
    .description("segment what is in the queue, until asked to end")
    .option(...queue)
    .option("--concurrency <n>", "photographs at a time, each in a process of its own", integer(1), 1)
    .option(...threads)
    .option("--seconds <s>", "time for a photograph", positive, 600)
    .option(
      "--hand-over <s>",
      "when a worker is silent, its photograph goes to another within this",
      integer(3),
      45,
    )
    .option(
      "--grace <s>",
      "when asked to end, what is at hand may take so long, then it is given back",
      integer(0),
      20,
    )
    .option("--until-empty", "end when the queue is empty")
    .addHelpText("after", examples("saunet screen work --queue redis://localhost:6379"))
    .action(async (options: WorkOptions) => {
      const { work } = await import("./queue/work.ts");
      return finish(work(options, version, host));
    });
  addQueueCommands(screen, host, finish);
  screen
    .command("collect")
    .description("write the rows of all photographs that are done into one table")
    .argument("<results>", "the folder of the results")
    .requiredOption("-o, --out <file>", "the CSV file to write")
    .option(...json)
    .addHelpText("after", examples("saunet screen collect results -o table.csv"))
    .action(async (results: string, options: CollectOptions) => {
      const { collect } = await import("./queue/collect.ts");
      return finish(collect(results, options, host));
    });
}

function addQueueCommands(screen: Command, host: Host, finish: Finish): void {
  const status = () => import("./queue/status.ts");
  screen
    .command("status")
    .description("print what waits, what is done and what failed, the rate and the time left")
    .option(...queue)
    .option("--watch", "again every 2 seconds")
    .option(...json)
    .action(async (options: QueueOptions) => finish((await status()).status(options, host)));
  const add = (name: string, purpose: string, act: (options: QueueOptions) => Promise<number>) =>
    screen
      .command(name)
      .description(purpose)
      .option(...queue)
      .action((options: QueueOptions) => finish(act(options)));
  add("retry", "try what failed again", async (options) => (await status()).retry(options, host));
  add("drain", "take what waits out of the queue", async (options) => (await status()).drain(options, host));
  add("pause", "let workers take nothing more", async (options) =>
    (await status()).pauseQueue(options, host),
  );
  add("resume", "let workers go on", async (options) => (await status()).resume(options, host));
}

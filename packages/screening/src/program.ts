// The command line of `saunet serve` and `saunet screen`.

import { readFileSync } from "node:fs";
import { Command } from "commander";
import {
  type Host,
  integer,
  maxPixels,
  positive,
  printableLines,
  threads,
  upTo,
  weights,
} from "saunet/internal";
import type { ServeOptions } from "./serve.ts";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};

/**
 * Runs `saunet serve` or `saunet screen`.
 *
 * @param argv what stands behind `saunet`
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
    // Complaints come back as errors and are told in one line by the command.
    writeErr: () => {},
  });
  addServe(program, host, finish);
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
    .option("--token-file <file>", "file of the token that requests must bear (or SAUNET_TOKEN)")
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

// Commands of the optional package @saunet/screening, which brings a web server and a queue along: who does not serve or
// screen need not install them.

import type { Command } from "commander";
import { WorkError } from "./errors.ts";
import type { Host } from "./output.ts";

/** What the package exports. */
interface Screening {
  /** Runs `saunet serve …` or `saunet screen …`. */
  run(argv: readonly string[], host: Host): Promise<number>;
}

/** In a variable, so that neither the compiler nor a bundler asks for it. */
const PACKAGE = "@saunet/screening";

const COMMANDS = {
  serve: "answer photographs over HTTP",
  screen: "segment a queue of photographs with workers on any machine",
};

/** Adds the commands of the package, which parses their options itself. */
export function addScreening(
  program: Command,
  host: Host,
  finish: (work: Promise<number>) => Promise<void>,
): void {
  for (const [name, purpose] of Object.entries(COMMANDS)) {
    program
      .command(name)
      .description(`${purpose} (in the package ${PACKAGE})`)
      .argument("[arguments...]")
      .helpOption(false)
      .allowUnknownOption()
      .action((args: string[]) =>
        finish(loadScreening(name).then((screening) => screening.run([name, ...args], host))),
      );
  }
}

/** @throws WorkError where the package is not installed */
async function loadScreening(command: string): Promise<Screening> {
  try {
    return (await import(PACKAGE)) as Screening;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ERR_MODULE_NOT_FOUND" || !message.includes(PACKAGE)) throw error;
    throw new WorkError(
      `saunet ${command} is in the package ${PACKAGE}, which is not installed: npm install ${PACKAGE}`,
      { cause: error },
    );
  }
}

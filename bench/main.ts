// The command: pnpm bench <bench> [options].

import { commands } from "./commands.ts";
import { serve } from "./contenders/worker.ts";
import { runCommand } from "./options.ts";
import { serveSession } from "./session-worker.ts";
import { UsageError } from "./usage.ts";

async function main(args: readonly string[]): Promise<number> {
  // The processes that the command starts itself.
  if (process.send !== undefined && args[0] === "contender") serve();
  else if (process.send !== undefined && args[0] === "session") serveSession();
  else return runCommand(commands, args.length === 0 ? ["--help"] : args);
  return 0;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`bench: ${error.message}\n`);
    process.exitCode = 2;
  },
);

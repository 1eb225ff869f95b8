// What the declarations of all commands share.

import { accelerate, restore } from "@saunet/wasm";
import { complain, type Host } from "./output.ts";

/** Takes the exit code of a command. */
export type Finish = (work: Promise<number>) => Promise<void>;

/** Examples below a command's help. */
export const examples = (...lines: string[]) =>
  `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}`;

/** Options of the commands that compute. */
export interface ThreadOptions {
  readonly threads?: number;
}

/** Does work with generated kernels in place of core's own; it is told how many threads compute. */
export async function accelerated(
  { threads }: ThreadOptions,
  host: Host,
  work: (threads: number) => Promise<number>,
): Promise<number> {
  const report = await accelerate(threads === undefined ? {} : { threads });
  for (const reason of report.reasons) complain(host, `slower than it could be: ${reason}`);
  try {
    return await work(report.threads);
  } finally {
    restore();
  }
}

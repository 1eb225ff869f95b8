// The whole network at several sizes: how time and memory grow.

import type { Options } from "./options.ts";
import { race } from "./race.ts";
import type { Results } from "./results.ts";

const SIZES = [256, 384, 512, 592, 704, 896];

/** One race a size, with the contenders of the short run where no peers are named. */
export async function sizes(options: Options): Promise<Results> {
  const races: Results[] = [];
  for (const size of SIZES) {
    process.stderr.write(`bench: ${size} x ${size}\n`);
    races.push(await race("model", [size, size], { ...options, quick: options.peers === undefined }));
  }
  const results = races.flatMap(({ results: rows }, i) => {
    return rows.map((row) => ({ ...row, shape: `${SIZES[i]}x${SIZES[i]}` }));
  });
  const [{ machine }] = races;
  return { bench: "sizes", command: options.command, machine, results };
}

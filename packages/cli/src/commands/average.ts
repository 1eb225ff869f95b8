// saunet average: one network out of several runs that began at the same weights.

import { averageWeights, writeWeights } from "@saunet/model";
import { DONE, UsageError } from "../errors.ts";
import { openWeights, writeFile } from "../files.ts";
import { type Host, printLine, writeJson } from "../output.ts";
import { refuseClashes } from "../outputs.ts";

/** Options of `saunet average`. */
export interface AverageOptions {
  readonly out: string;
  readonly json?: boolean;
}

/** Writes the average of weights files; they must belong to one network. */
export async function average(
  files: readonly string[],
  { out, json }: AverageOptions,
  host: Host,
): Promise<number> {
  if (files.length < 2) {
    throw new UsageError(`average wants two weights files or more but was given ${files.length}`);
  }
  await refuseClashes(host, [{ file: out, what: "the average", option: "--out" }], files);
  const members = await Promise.all(files.map((file) => openWeights(host, file)));
  const averaged = averageWeights(members);
  const metadata = { ...averaged.metadata, "averaged-from": files.join(", ") };
  await writeFile(host, out, writeWeights({ ...averaged, metadata }));
  if (json) writeJson(host, { network: averaged.config, averaged: files, file: out });
  else printLine(host, `${averaged.config.name}, the average of ${files.length} weights files -> ${out}`);
  return DONE;
}

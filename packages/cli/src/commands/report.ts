// saunet report: a training run as one HTML file.

import type { DatasetKind } from "@saunet/data/files";
import { DONE, FAILED, UsageError } from "../errors.ts";
import { type Host, printLine, writeJson } from "../output.ts";
import { type ReportOptions, writeReport } from "../report/write-report.ts";

/** Options of `saunet report`. */
export interface ReportCommandOptions extends Omit<ReportOptions, "sets"> {
  readonly dataset?: readonly DatasetKind[];
  readonly data?: readonly string[];
}

/** Writes the report of a run. */
export async function report(run: string, options: ReportCommandOptions, host: Host): Promise<number> {
  const { dataset = [], data = [], ...others } = options;
  if (dataset.length !== data.length) {
    throw new UsageError(
      `option '--data <folder>': each --dataset needs one, in the same order; there are ${dataset.length} and ${data.length}`,
    );
  }
  const sets = dataset.map((kind, i) => ({ dataset: kind, data: data[i] }));
  const { files, failed } = await writeReport(run, { ...others, ...(sets.length > 0 && { sets }) }, host);
  if (options.json) writeJson(host, { files, ...(failed.length > 0 && { failed }) });
  else printLine(host, `-> ${Object.values(files).join(", ")}`);
  return failed.length === 0 ? DONE : FAILED;
}

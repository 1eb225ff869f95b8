// One row of the table: what was found in one photograph. Every part has this heading.

import { csvRows } from "saunet/internal";
import type { Figures } from "../compute.ts";
import type { ScreeningJob } from "./job.ts";

const COLUMNS = [
  ...[
    "photograph",
    "sha256",
    "width",
    "height",
    "scale",
    "vessel_share",
    "class_shares",
    "warnings",
    "network_seconds",
  ],
  ...["probability", "mask", "classes", "overlay"],
  ...[
    "weights_sha256",
    "threshold",
    "wanted_scale",
    "pad_to",
    "worker",
    "version",
    "tries",
    "finished",
    "job",
  ],
] as const;

export const HEADING = csvRows([COLUMNS]);

/** Who did it, and how often it was tried. */
export interface Doer {
  readonly worker: string;
  readonly version: string;
  readonly tries: number;
}

/**
 * The part of a table that is one row.
 *
 * @param files path of each picture by its kind, relative to the folder of the results
 */
export function partOf(
  id: string,
  job: ScreeningJob,
  { width, height, scale, vesselShare, networkSeconds, classes, warnings }: Figures,
  files: Readonly<Record<string, string>>,
  { worker, version, tries }: Doer,
): string {
  const { threshold = "", scale: wanted = "", padTo = "" } = job.options;
  const row: Record<(typeof COLUMNS)[number], string | number> = {
    photograph: job.reference,
    sha256: job.sha256,
    width,
    height,
    scale,
    vessel_share: vesselShare,
    class_shares: classes?.map(({ name, share }) => `${name}=${share}`).join(" ") ?? "",
    warnings: warnings.join("; "),
    network_seconds: networkSeconds,
    probability: files.probability ?? "",
    mask: files.mask ?? "",
    classes: files.classes ?? "",
    overlay: files.overlay ?? "",
    weights_sha256: job.weights.sha256,
    threshold,
    wanted_scale: wanted,
    pad_to: padTo,
    worker,
    version,
    tries,
    finished: new Date().toISOString(),
    job: id,
  };
  return HEADING + csvRows([COLUMNS.map((column) => row[column])]);
}

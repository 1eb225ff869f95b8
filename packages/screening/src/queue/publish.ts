// Results appear whole or not at all, and once, however often a job is tried and wherever a worker dies: they are written
// aside, synced and renamed, the row last. Whoever finds the row has nothing left to do.

import { randomBytes } from "node:crypto";
import { access, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Answer } from "../compute.ts";
import { idOf, type Places, placesOf, type ScreeningJob } from "./job.ts";
import { type Doer, partOf } from "./row.ts";

/** Another worker has the job by now. */
export class NotOursError extends Error {
  override readonly name = "NotOursError";
}

/** Whether a job's results are there. */
export async function isDone(job: ScreeningJob): Promise<boolean> {
  const { row } = placesOf(job, idOf(job));
  return access(row).then(
    () => true,
    () => false,
  );
}

/** Removes what earlier tries of a job left aside. */
export async function clearAside(job: ScreeningJob): Promise<void> {
  const id = idOf(job);
  const { aside } = placesOf(job, id);
  const names = await readdir(aside).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  for (const name of names.filter((each) => each.startsWith(id)))
    await rm(join(aside, name), { recursive: true, force: true });
}

/**
 * Writes the results of a job.
 *
 * @param isOurs whether the job is still this worker's, asked right before anything is seen
 * @throws NotOursError; what the system complains of
 */
export async function publish(
  job: ScreeningJob,
  { figures, pictures }: Answer,
  doer: Doer,
  isOurs: () => Promise<boolean>,
): Promise<void> {
  const id = idOf(job);
  const places = placesOf(job, id);
  await clearAside(job);
  const folder = join(places.aside, `${id}.${randomBytes(4).toString("hex")}`);
  await mkdir(folder, { recursive: true });
  try {
    const files: Record<string, string> = {};
    for (const [kind, png] of Object.entries(pictures)) {
      files[kind] = places.picture(kind);
      await writeSynced(join(folder, kind), png);
    }
    await writeSynced(join(folder, ROW), partOf(id, job, figures, files, doer));
    const targets = Object.entries(files).map(([kind, file]) => [kind, join(job.out, file)] as const);
    for (const target of [...targets.map(([, file]) => file), places.row])
      await mkdir(dirname(target), { recursive: true });
    if (!(await isOurs())) throw new NotOursError(`${job.reference}: another worker has taken it over`);
    await moveAll(folder, targets, places);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const ROW = "row";

async function moveAll(
  folder: string,
  targets: readonly (readonly [kind: string, file: string])[],
  { row }: Places,
): Promise<void> {
  for (const [kind, file] of targets) await rename(join(folder, kind), file);
  // What a row says is on the disk before the row is.
  for (const place of new Set(targets.map(([, file]) => dirname(file)))) await syncFolder(place);
  await rename(join(folder, ROW), row);
  await syncFolder(dirname(row));
}

async function writeSynced(path: string, content: Uint8Array | string): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes renames last. Some systems and network drives cannot, and keep their own order. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path).catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

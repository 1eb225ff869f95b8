// What the tests of the command share: a run with its output caught, in this process or one of its own, and small files to
// run on.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, open, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";
import { randomState, writeSafetensors } from "@saunet/core";
import { type Mask, type Photograph, syntheticFundus } from "@saunet/data";
import { writePng } from "@saunet/data/files";
import { initialize, type NetworkConfig, saUNetV2, writeWeights } from "@saunet/model";
import type { Host } from "./output.ts";
import { run } from "./program.ts";

/** Settings of a short run, as its config.json holds them, but for what it learns and from what. */
export const shortRun = {
  recipe: "best",
  epochs: 3,
  steps: 4,
  learningRate: 1e-3,
  batch: 2,
  schedule: "cosine",
  scale: "auto",
  select: "f1",
  crops: [{ until: 1, side: 64, batch: 2, scale: [0.8, 1.2] }],
  validateEvery: 1,
  pictureSize: 256,
  seed: 1,
  maxPixels: 1e6,
} as const;

/** How a run of the command ended. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A stream that keeps what is written to it. */
export function keeper({ isTTY = false } = {}) {
  let text = "";
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY, columns: 200 }), text: () => text };
}

/** Runs `saunet …argv` in a folder. */
export async function saunet(cwd: string, argv: readonly string[], host: Partial<Host> = {}): Promise<Ran> {
  const [out, err] = [keeper(), keeper()];
  const code = await run(argv, { stdout: out.stream, stderr: err.stream, cwd, ...host });
  return { code, out: out.text(), err: err.text() };
}

/** A network of the family that runs in milliseconds. */
export const tiny: NetworkConfig = { ...saUNetV2, name: "tiny", channels: [8, 8] };

/** Writes fresh weights. */
export async function writeFreshWeights(path: string, config: NetworkConfig = tiny, seed = 3): Promise<void> {
  const parameters = initialize(config, randomState(seed));
  await writeFile(path, writeWeights({ config, parameters, metadata: {} }));
}

/** Writes weights one of which is no number. */
export async function writeSpoiltWeights(path: string, value = Number.NaN): Promise<void> {
  const parameters = initialize(tiny, randomState(3));
  parameters["head.bias"].data[0] = value;
  await writeFile(path, writeSafetensors(parameters, { network: JSON.stringify(tiny) }));
}

/** A synthetic photograph of 48 x 48 with its labels. */
export function smallFundus(seed: number): { image: Photograph; vessels: Mask; fieldOfView: Mask } {
  return syntheticFundus({ seed, width: 48, height: 48 });
}

/** Writes a plain folder of synthetic photographs a, b, c … with their masks. */
export async function writeFolder(directory: string, ids: readonly string[]): Promise<void> {
  for (const [index, id] of ids.entries()) {
    const { image, vessels } = smallFundus(index + 1);
    await write(join(directory, "images", `${id}.png`), image);
    await write(join(directory, "masks", `${id}.png`), vessels);
  }
}

/** Writes a picture and the folders above it. */
export async function write(path: string, picture: Photograph | Mask): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writePng(path, picture);
}

/** Writes a file of so many bytes, all zero after its beginning, which takes no room on most disks. */
export async function writeSparse(
  path: string,
  beginning: string | Uint8Array,
  bytes: number,
): Promise<void> {
  const file = await open(path, "w");
  await file.writeFile(beginning);
  await file.truncate(bytes);
  await file.close();
}

/** A PNG whose header claims another size. To decode it would fail. */
export function claiming(png: Uint8Array, width: number, height: number): Buffer {
  const claimed = Buffer.from(png);
  claimed.writeUInt32BE(width, 16);
  claimed.writeUInt32BE(height, 20);
  claimed.writeUInt32BE(crc32(claimed.subarray(12, 29)), 29);
  return claimed;
}

/** The checkout. */
export const root = fileURLToPath(new URL("../../../", import.meta.url));
/** The command as it is installed; {@link build} makes it. */
export const command = join(root, "packages/cli/dist/main.js");

/** A process that was started. */
export interface Started {
  readonly child: ChildProcess;
  /** Its exit code, or the signal that ended it, and what it wrote to stdout and stderr. */
  readonly ended: Promise<{
    readonly code: number | string | null;
    readonly out: string;
    readonly err: string;
  }>;
}

/** Starts a program. */
export function start(cwd: string, program: string, argv: readonly string[]): Started {
  const child = spawn(program, argv, { cwd });
  const [out, err] = [keeper(), keeper()];
  child.stdout.pipe(out.stream);
  child.stderr.pipe(err.stream);
  const ended = new Promise<Awaited<Started["ended"]>>((resolve) => {
    child.on("close", (code, signal) => resolve({ code: code ?? signal, out: out.text(), err: err.text() }));
  });
  return { child, ended };
}

/** Compiles the command. */
export async function build(): Promise<void> {
  const { code, out, err } = await start(root, process.execPath, [join(root, "scripts/build.mjs")]).ended;
  if (code !== 0) throw new Error(`the build failed: ${out}${err}`);
}

/** The log of a run without what clock and machine say. */
export async function losses(run: string): Promise<unknown[]> {
  const lines = (await readFile(join(run, "log.jsonl"), "utf8")).split("\n");
  return lines.slice(0, -1).map((line) => {
    const { seconds: _, rss: __, ...entry } = JSON.parse(line);
    return entry;
  });
}

// What a run survives, in real processes: SIGKILL at any moment, a full disk, a loss that is no number.

import { existsSync, watch } from "node:fs";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { draw, randomState } from "@saunet/core";
import { readWeights } from "@saunet/model";
import { afterAll, beforeAll, expect, it } from "vitest";
import { build, command, losses, start, writeFolder, writeFreshWeights } from "../testing.ts";

let here: string;
/** Milliseconds that the run `whole` took, which nothing disturbed. */
let wholeTime: number;

/** Runs a program; the promise gives its exit code, or the signal that ended it, and what it wrote. */
function run(program: string, argv: readonly string[]) {
  const { child, ended } = start(here, program, argv);
  return { child, ended: ended.then(({ code, out, err }): [unknown, string] => [code, `${out}${err}`]) };
}
const saunet = (...argv: string[]) => run(process.execPath, [command, ...argv]);
const training = (out: string) => [
  ...[
    "train",
    "-o",
    out,
    "--dataset",
    "folder",
    "--data",
    "set",
    "--weights",
    "tiny.safetensors",
    "--threads",
    "1",
  ],
  ...["--crop", "16", "--batch", "2", "--epochs", "150", "--steps", "3", "--validate-every", "10"],
];

/** Waits until a file of this name begins to be written. */
function writingOf(name: string, folder: string): Promise<void> {
  return new Promise((resolve) => {
    if (!existsSync(folder)) return;
    const watcher = watch(folder, (_, file) => {
      if (!file?.startsWith(name) || !file.endsWith(".tmp")) return;
      watcher.close();
      resolve();
    });
    watcher.unref();
  });
}

beforeAll(async () => {
  await build();
  here = await mkdtemp(join(tmpdir(), "saunet-crash-"));
  await writeFreshWeights(join(here, "tiny.safetensors"));
  await writeFolder(join(here, "set"), ["a", "b", "c"]);
  const began = performance.now();
  const [code, text] = await saunet(...training("whole")).ended;
  if (code !== 0) throw new Error(text);
  wholeTime = performance.now() - began;
});
afterAll(() => rm(here, { recursive: true }));

it("SIGKILL at 20 random moments: every file is whole, and the losses are those of a run that was left alone", async () => {
  // A run that was killed before it had written down its settings is begun again, not resumed.
  const goOn = () =>
    saunet(
      ...(existsSync(join(here, "killed", "config.json"))
        ? ["train", "--resume", "killed"]
        : training("killed")),
    );
  const moments = randomState(20);
  let kills = 0;
  let whileWriting = 0;
  for (let attempt = 0; attempt < 20; attempt++) {
    const { child, ended } = goOn();
    // Each life lasts up to a quarter of a run, of which starting takes half: most begin where another was cut off.
    const life = setTimeout(draw(moments) * (wholeTime / 4));
    // Every other one ends earlier where a checkpoint is begun meanwhile.
    await (attempt % 2 === 1 ? Promise.race([life, writingOf("checkpoint", join(here, "killed"))]) : life);
    child.kill("SIGKILL");
    if ((await ended)[0] !== "SIGKILL") continue;
    kills++;
    const files = existsSync(join(here, "killed")) ? await readdir(join(here, "killed")) : [];
    whileWriting += files.filter((name) => name.endsWith(".tmp")).length;
    // What stands under its own name is whole at every moment.
    for (const name of files.filter((file) => /^(best|last)\.safetensors$/.test(file))) {
      expect(readWeights(await readFile(join(here, "killed", name))).config.name).toBe("tiny");
    }
  }
  console.info(`killed ${kills} times, ${whileWriting} of them while a file was being written`);
  expect(kills).toBeGreaterThan(10);
  const [code, text] = await goOn().ended;
  expect([code, text]).toMatchObject([0, expect.stringMatching(/finished after 450 steps/)]);
  expect(await losses(join(here, "killed"))).toEqual(await losses(join(here, "whole")));
  for (const file of ["last.safetensors", "best.safetensors"]) {
    expect(await readFile(join(here, "killed", file))).toEqual(await readFile(join(here, "whole", file)));
  }
  expect((await readdir(join(here, "killed"))).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});

it("SIGKILL while a checkpoint is being written leaves the one before", async () => {
  await cp(join(here, "whole"), join(here, "cut"), { recursive: true });
  const path = join(here, "cut", "checkpoint.safetensors");
  const before = await readFile(path);
  // What the process had written of the new one when it was killed.
  await cp(path, `${path}.0b5fd4ae.tmp`);
  const [code] = await saunet("train", "--resume", "cut").ended;
  expect(code).toBe(0);
  expect(await readFile(path)).toEqual(before);
  expect(await readdir(join(here, "cut"))).toHaveLength(8);
});

it("a disk that is full ends the run with a message, and its last checkpoint is good", async () => {
  const [weights, checkpoint] = await Promise.all(
    ["last", "checkpoint"].map(
      async (name) => (await readFile(join(here, "whole", `${name}.safetensors`))).length,
    ),
  );
  expect(checkpoint).toBeGreaterThan(2 * weights);
  const first = saunet(...training("full"));
  const file = join(here, "full", "checkpoint.safetensors");
  while (!existsSync(file)) await setTimeout(5);
  first.child.kill("SIGKILL");
  await first.ended;
  const good = await readFile(file);
  // A file may have so many kilobytes and no more: enough for weights, too few for a checkpoint.
  const limit = Math.floor((weights + checkpoint) / 2 / 1024);
  const script = `trap '' XFSZ; ulimit -f ${limit}; exec "$0" "$@"`;
  const [code, text] = await run("bash", [
    "-c",
    script,
    process.execPath,
    command,
    "train",
    "--resume",
    "full",
  ]).ended;
  expect(code).toBe(1);
  expect(text).toMatch(/^saunet: full\/checkpoint\.safetensors: cannot be written: .*\n$/m);
  expect(await readFile(file)).toEqual(good);
  expect((await readdir(join(here, "full"))).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  // With room again it goes on.
  expect((await saunet("train", "--resume", "full").ended)[0]).toBe(0);
  expect(await losses(join(here, "full"))).toEqual(await losses(join(here, "whole")));
});

it("a step that gives no number ends the run, and says which tensor was the first", async () => {
  const [code, text] = await saunet(...training("diverged"), "--learning-rate", "1e38").ended;
  expect(code).toBe(1);
  expect(text).toMatch(
    /^saunet: train: the loss of step \d+ is .*; the first tensor that is not finite is \w+ of [\w.]+, at [\w.]+\n$/m,
  );
});

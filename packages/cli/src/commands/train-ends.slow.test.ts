// How a training ends before its time, in real processes: signals, closed pipes, lost threads, a second process, a folder
// that vanishes. Each time the exit code says what happened, and the run goes on where it was, bit for bit.

import { existsSync } from "node:fs";
import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  build,
  command,
  losses,
  root,
  type Started,
  start,
  writeFolder,
  writeFreshWeights,
} from "../testing.ts";

let here: string;
const at = (...names: string[]) => join(here, ...names);
const settings = (epochs: number) => [
  ...[
    "--dataset",
    "folder",
    "--data",
    "set",
    "--weights",
    "tiny.safetensors",
    "--threads",
    "1",
    "--no-report",
  ],
  ...["--crop", "16", "--batch", "2", "--epochs", String(epochs), "--steps", "3", "--validate-every", "5"],
];
const node = (...argv: string[]) => start(here, process.execPath, argv);
const saunet = (...argv: string[]) => node(command, ...argv);
/** Long enough to be ended in the middle. */
const EPOCHS = 30;
const train = (run: string) => saunet("train", "-o", run, ...settings(EPOCHS));

/** Waits until a run has done some steps, past its first checkpoint. */
async function underWay({ child }: Started, run: string): Promise<void> {
  const steps = async () =>
    existsSync(at(run, "log.jsonl")) ? (await readFile(at(run, "log.jsonl"), "utf8")).split("\n").length : 0;
  while ((await steps()) < 8) {
    if (child.exitCode !== null)
      throw new Error(`${run} ended with ${child.exitCode} before it was under way`);
    await setTimeout(5);
  }
}

/** Goes on with a run to its end, which must be that of the run that nobody disturbed. */
async function expectSameEnd(run: string): Promise<void> {
  const { code, err } = await saunet("train", "--resume", run).ended;
  expect([code, err]).toEqual([0, ""]);
  expect(await losses(at(run))).toEqual(await losses(at("whole")));
  for (const file of ["last.safetensors", "best.safetensors"])
    expect(await readFile(at(run, file))).toEqual(await readFile(at("whole", file)));
}

beforeAll(async () => {
  await build();
  here = await mkdtemp(join(tmpdir(), "saunet-ends-"));
  await writeFreshWeights(at("tiny.safetensors"));
  await writeFolder(at("set"), ["a", "b", "c"]);
  expect((await train("whole").ended).code).toBe(0);
});
afterAll(() => rm(here, { recursive: true, force: true }));

const SIGNALS = [
  ["SIGHUP", 129],
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const;
/** Where nobody reads standard output any more. */
const CLOSED = 141;

describe("a signal", () => {
  it.each(SIGNALS)("%s: a checkpoint, a line, %i", async (signal, exitCode) => {
    const started = train(signal);
    await underWay(started, signal);
    // A terminal and npm may both pass on the same one.
    started.child.kill(signal);
    started.child.kill(signal);
    const { code, out, err } = await started.ended;
    const [, steps] = /interrupted after (\d+) steps/.exec(out) ?? [];
    expect([code, err]).toEqual([
      exitCode,
      `saunet: ${signal}: saved after ${steps} steps (saunet train --resume ${signal} goes on)\n`,
    ]);
    expect(Number(steps)).toBeLessThan(3 * EPOCHS);
    // What is saved does not depend on the signal, and going on takes longer than all else.
    if (signal === "SIGTERM") await expectSameEnd(signal);
  });

  it("reaches a training through the script of the checkout, and through npm", async () => {
    for (const [name, program, argv] of [
      ["script", process.execPath, [join(root, "scripts/saunet.mjs")]],
      ["npm", "npm", ["run", "-s", "--prefix", root, "saunet", "--"]],
    ] as const) {
      const started = start(here, program, [...argv, "train", "-o", at(name), ...absolute(settings(EPOCHS))]);
      await underWay(started, name);
      started.child.kill("SIGTERM");
      const { code, err } = await started.ended;
      // npm ends itself by the same signal, which a shell calls 143.
      expect(code === "SIGTERM" ? 143 : code, name).toBe(143);
      expect(err, name).toMatch(/^saunet: (SIGTERM|npm was ended): saved after \d+ steps/m);
      // Nothing goes on: whoever comes next has the run for itself.
      const before = await losses(at(name));
      await expectSameEnd(name);
      expect((await losses(at(name))).slice(0, before.length)).toEqual(before);
    }
  });

  it("ends a segmentation of several photographs after one of them, and says how many", async () => {
    const photographs = Array.from({ length: 40 }, (_, i) => `many/${i}.png`);
    await writeFolder(at("one"), ["a"]);
    for (const name of photographs) await cp(at("one/images/a.png"), at(name));
    const started = saunet(
      "segment",
      ...photographs,
      "--weights",
      "tiny.safetensors",
      "--threads",
      "1",
      "-o",
      "out",
    );
    while (!existsSync(at("out", "0-overlay.png"))) await setTimeout(2);
    started.child.kill("SIGTERM");
    const { code, out, err } = await started.ended;
    const done = out.trimEnd().split("\n").length;
    expect([code, err]).toEqual([143, `saunet: SIGTERM: segmented ${done} of 40 photographs\n`]);
    expect(await readdir(at("out"))).toHaveLength(3 * done);
  });
});

/** npm starts its scripts in the folder of the package. */
const absolute = (argv: readonly string[]) =>
  argv.map((word) => (["set", "tiny.safetensors"].includes(word) ? at(word) : word));

describe("standard output", () => {
  it("that nobody reads any more ends a training with 141, its work saved", async () => {
    const started = train("closed");
    started.child.stdout?.once("data", () => started.child.stdout?.destroy());
    const { code, err } = await started.ended;
    expect([code, err]).toEqual([
      CLOSED,
      expect.stringMatching(
        /^saunet: standard output was closed: saved after \d+ steps \(saunet train --resume closed goes on\)\n$/,
      ),
    ]);
    await expectSameEnd("closed");
  });

  it("that nobody reads any more ends other commands with 141", async () => {
    const script = `"$0" "$@" | head -c 1 >/dev/null; exit "\${PIPESTATUS[0]}"`;
    const piped = (...argv: string[]) =>
      start(here, "bash", ["-c", script, process.execPath, command, ...argv]).ended;
    const images = Array.from({ length: 40 }, () => "set/images/a.png").map(async (from, i) => {
      await cp(at(from), at("pipes", `${i}.png`));
      return `pipes/${i}.png`;
    });
    const names = await Promise.all(images);
    const { code, err } = await piped("segment", ...names, "--weights", "tiny.safetensors", "-o", "piped");
    expect([code, err]).toEqual([
      CLOSED,
      expect.stringMatching(/^saunet: standard output was closed: segmented \d+ of 40 photographs\n$/),
    ]);
  });

  it.runIf(existsSync("/dev/full"))(
    "that cannot be written is a failure, and the work is saved",
    async () => {
      const full = (...argv: string[]) =>
        start(here, "bash", ["-c", `"$0" "$@" >/dev/full`, process.execPath, command, ...argv]).ended;
      const { code, err } = await full("train", "-o", "full", ...settings(EPOCHS));
      expect([code, err]).toEqual([
        1,
        expect.stringMatching(
          /^saunet: standard output cannot be written: the disk is full: saved after \d+ steps/,
        ),
      ]);
      await expectSameEnd("full");
      expect(await full("inspect")).toMatchObject({
        code: 1,
        err: "saunet: standard output cannot be written: the disk is full\n",
      });
    },
  );
});

describe("a thread that is lost", () => {
  /** Ends, after a while, the threads of a process that a condition tells. */
  const killer = async (name: string, condition: string, act: string) => {
    const code = `import { isMainThread, workerData } from "node:worker_threads";
      if (!isMainThread && ${condition}) setTimeout(() => { ${act} }, 150);`;
    await writeFile(at(`${name}.mjs`), code);
    return ["--import", at(`${name}.mjs`), command];
  };

  it.each([
    ["exits", "process.exit(7)", "it exited with code 7"],
    ["throws", `throw new Error("no more crops")`, "no more crops"],
  ])("the maker of batches %s: a line, a checkpoint, 1", async (how, act, why) => {
    const argv = await killer(how, "workerData?.plan !== undefined", act);
    // Without an end of its own: it goes on until its thread is lost.
    const lost = node(...argv, "train", "-o", how, ...settings(EPOCHS), "--minutes", "60");
    const { code, err } = await lost.ended;
    expect([code, err]).toEqual([
      1,
      `saunet: the thread that makes batches is lost: ${why}; --resume goes on with the run\n`,
    ]);
    const before = await losses(at(how));
    const { code: end } = await saunet("train", "--resume", how).ended;
    expect(end).toBe(0);
    const after = await losses(at(how));
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after).toHaveLength((await losses(at("whole"))).length);
  });
});

it("a kernel thread that is lost ends the training with a line and 1; it goes on from its checkpoint", async () => {
  // Such a thread sleeps outside of its event loop: it is ended from the main one, where a signal asks for it.
  const code = `import threads, { isMainThread } from "node:worker_threads";
    import { syncBuiltinESMExports } from "node:module";
    const { Worker } = threads;
    let second;
    if (isMainThread) threads.Worker = class extends Worker {
      constructor(source, options) {
        super(source, options);
        if (options?.workerData?.thread === 1) second = this;
      }
    };
    process.on("SIGUSR2", () => second.terminate());
    syncBuiltinESMExports();`;
  await writeFile(at("kernels.mjs"), code);
  const argv = ["-o", "kernels", ...settings(100_000), "--threads", "2"];
  const started = node("--import", at("kernels.mjs"), command, "train", ...argv);
  await underWay(started, "kernels");
  // A thread that is lost while nothing is to be done is replaced, and nobody notices.
  const again = setInterval(() => started.child.kill("SIGUSR2"), 500);
  // A process that is about to exit listens to signals no more, and would die of one.
  started.child.stderr?.once("data", () => clearInterval(again));
  const { code: end, err } = await started.ended;
  clearInterval(again);
  expect([end, err]).toEqual([
    1,
    expect.stringMatching(
      /^saunet: \w+: a worker ended; the work was not finished; --resume goes on from the last checkpoint\n$/,
    ),
  ]);
  const before = await losses(at("kernels"));
  const resumed = saunet("train", "--resume", "kernels");
  while ((await losses(at("kernels"))).length <= before.length) await setTimeout(5);
  resumed.child.kill("SIGTERM");
  expect((await resumed.ended).code).toBe(143);
  expect((await losses(at("kernels"))).slice(0, before.length)).toEqual(before);
});

describe("a run folder", () => {
  it("belongs to one process at a time; a killed one keeps nobody out", async () => {
    const first = train("locked");
    await underWay(first, "locked");
    const second = await saunet("train", "--resume", "locked").ended;
    expect(second).toMatchObject({
      code: 1,
      out: "",
      err: `saunet: locked: process ${first.child.pid} is working in it; one at a time can\n`,
    });
    first.child.kill("SIGKILL");
    await first.ended;
    await expectSameEnd("locked");
  });

  it.each([
    ["is removed", (run: string) => rm(at(run), { recursive: true, maxRetries: 20 })],
    ["is moved away", (run: string) => rename(at(run), at(`${run} elsewhere`))],
  ])("that %s ends the run with an error", async (how, act) => {
    const started = train(how);
    await underWay(started, how);
    await act(how);
    const { code, out, err } = await started.ended;
    expect([code, out]).toEqual([1, expect.not.stringContaining("finished")]);
    expect(err).toMatch(/^saunet: is (removed|moved away)\/\w+\.\w+: .*\n$/);
    expect(err.trimEnd()).not.toContain("\n");
    expect(existsSync(at(how))).toBe(false);
  });
});

it("docs/command.md lists the exit codes that there are, and no others", async () => {
  const text = await readFile(join(root, "docs/command.md"), "utf8");
  const listed = [...text.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  const codes = [
    (await saunet("inspect", "--json").ended).code,
    (await saunet("segment", "missing.png").ended).code,
    (await saunet("segment", "--threshold", "2").ended).code,
    // The tests above hold these to what a process ends with.
    ...SIGNALS.map(([, code]) => code),
    CLOSED,
  ];
  expect(listed).toEqual(codes.map(Number).sort((a, b) => a - b));
});

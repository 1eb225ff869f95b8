// Processes that a bench starts, where the bench is killed and so lets none of them go.

import { execFile, spawn, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { PEERS } from "./paths.ts";
import { USUAL } from "./settings.ts";
import { parseShape } from "./shapes.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const python = process.env.PYTHON ?? "python3";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-orphans-"));
  await promisify(execFile)(process.execPath, [join(here, "../scripts/build.mjs"), "bench"]);
});
afterAll(() => rm(folder, { recursive: true }));

/** Starts a child, asks it as many things, and kills itself while the last is being computed. */
const PARENT = `
const [main, kind, requests] = process.argv.slice(1);
const stdio = ["ignore", 2, 2, "ipc"];
const child = require("node:child_process").fork(main, [kind], { serialization: "advanced", stdio });
const queue = JSON.parse(requests);
const next = () => {
  const request = queue.shift();
  child.send(request, () => {
    if (queue.length === 0) setTimeout(() => process.kill(process.pid, "SIGKILL"), 100);
  });
};
child.on("message", ({ kind }) => kind !== "sign" && queue.length > 0 && next());
next();
`;

const convolution = parseShape("32x32x16 -> 16, 3x3");
const contender = {
  ...{ kind: "load convolution", contender: "accelerated", threads: 1 },
  ...{ convolution, kernel: "forward", calls: 1 },
};

const settings = { ...USUAL, quick: true, shape: ["32x32x16 -> 16, 3x3"], attempts: ["1"] };
const lab = [
  { kind: "open", bench: "lab", settings },
  { kind: "measure", unit: 0, without: [] },
];

it.skipIf(process.platform === "win32").each([
  ["a contender", "contender", [contender, { kind: "run", wantsOutput: false, runs: 20_000 }]],
  ["a process that measures", "session", lab],
])("%s ends without a word", async (_, kind, requests) => {
  const argv = ["-e", PARENT, join(here, "dist/main.js"), kind, JSON.stringify(requests)];
  const parent = spawn(process.execPath, argv, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  parent.stderr.on("data", (text) => {
    said += text;
  });
  // The child writes where its parent does: there is an end to that when both have ended.
  const [, signal] = await new Promise<unknown[]>((resolve) => parent.on("close", (...how) => resolve(how)));
  expect(signal).toBe("SIGKILL");
  expect(said).toBe("");
});

const hasPython = spawnSync(python, ["--version"]).status === 0;

it.skipIf(!hasPython)("a contender in Python ends without a word, after Ctrl-C too", async () => {
  // Its libraries are not installed everywhere: these stand for them.
  await mkdir(join(folder, "contenders"));
  await writeFile(join(folder, "numpy.py"), "");
  const slow = "import time\nVERSION = '1'\ndef model(_):\n    return lambda: time.sleep(0.5)\n";
  await writeFile(join(folder, "contenders", "slow.py"), slow);
  const env = { ...process.env, PYTHONPATH: folder };
  const child = spawn(python, [join(PEERS, "python", "serve.py")], { env });
  let said = "";
  child.stderr.on("data", (text) => {
    said += text;
  });
  const ended = new Promise((resolve) => child.on("close", resolve));
  child.stdin.write(`${JSON.stringify({ kind: "load", contender: "slow", discipline: "model" })}\n`);
  const loaded = await new Promise((resolve) => child.stdout.once("data", (line) => resolve(String(line))));
  expect(JSON.parse(`${loaded}`)).toEqual({ kind: "loaded", version: "1" });
  child.stdin.end(`${JSON.stringify({ kind: "run", wantsOutput: false, runs: 1 })}\n`);
  child.kill("SIGINT");
  child.stdout.destroy();
  expect([await ended, said]).toEqual([0, ""]);
});

// What the bench and a contender in Python say to each other, spoken by a program that stands for Python.

import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { ContenderProcess } from "./process.ts";

/** Answers as peers/python/serve.py does. */
const STAND_IN = `#!${process.execPath}
const encoded = (numbers) => Buffer.from(Float32Array.from(numbers).buffer).toString("base64");
const answers = {
  load: ({ contender }) =>
    contender === "absent"
      ? { kind: "failed", reason: "No module named 'absent'", notInstalled: true }
      : { kind: "loaded", version: "1.2" },
  run: ({ wantsOutput, runs }) =>
    wantsOutput ? { kind: "ran", ms: [], output: encoded([0.5, -2]) } : { kind: "ran", ms: Array(runs).fill(7) },
  moments: () => ({ kind: "moments", moments: [encoded([1]), encoded([2, 3])] }),
  memory: () => process.exit(3),
};
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const request = JSON.parse(line);
  console.log(JSON.stringify(answers[request.kind](request)));
});
`;
const files = { inputs: "inputs", onnx: "onnx" };

let folder: string;
let child: ContenderProcess | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-python-"));
  await writeFile(join(folder, "python"), STAND_IN);
  await chmod(join(folder, "python"), 0o755);
});
afterEach(() => {
  child?.end();
  vi.unstubAllEnvs();
});
afterAll(() => rm(folder, { recursive: true }));

const start = (python = join(folder, "python")) => {
  vi.stubEnv("PYTHON", python);
  child = new ContenderProcess(30, "python");
  return child;
};

it.skipIf(process.platform === "win32")("loads, runs, and gives arrays as they were", async () => {
  const contender = start();
  expect(await contender.load("torch", 2, "train", files)).toBe("1.2");
  expect(await contender.run(3)).toEqual([7, 7, 7]);
  expect(await contender.output()).toEqual(Float32Array.of(0.5, -2));
  expect(await contender.moments()).toEqual([Float32Array.of(1), Float32Array.of(2, 3)]);
});

it.skipIf(process.platform === "win32")("says what is not installed, and that it ended", async () => {
  const contender = start();
  await expect(contender.load("absent", 1, "model", files)).rejects.toMatchObject({
    message: "No module named 'absent'",
    notInstalled: true,
  });
  await expect(contender.peakRssMb()).rejects.toThrow("its process ended with exit code 3");
  expect(contender.hasEnded).toBe(true);
  await expect(contender.run(1)).rejects.toThrow("its process ended with exit code 3");
});

it("says that there is no Python", async () => {
  const absent = join(folder, "no-python");
  await expect(start(absent).load("torch", 1, "model", files)).rejects.toMatchObject({
    message: `there is no ${absent}; PYTHON names another`,
    notInstalled: true,
  });
});

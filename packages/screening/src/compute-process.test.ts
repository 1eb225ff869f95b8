// The process that segments, where its parent is killed and so cannot let it go.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";
import { build } from "./testing.ts";

beforeAll(build);

/** Asks for a photograph of 400 x 400 pixels, and kills itself while that is segmented. */
const PARENT = `
const [main] = process.argv.slice(1);
const stdio = ["ignore", "ignore", 2, "ipc"];
const child = require("node:child_process").fork(main, ["1"], { serialization: "advanced", stdio });
const photograph = { width: 400, height: 400, data: new Uint8Array(480_000).fill(90) };
const request = { source: { photograph }, weights: {}, options: { maxPixels: 1e7 }, pictures: [], arrays: [] };
child.on("message", () => child.send(request, () => setTimeout(() => process.kill(process.pid, "SIGKILL"), 50)));
`;

it.skipIf(process.platform === "win32")("ends without a word", async () => {
  const main = fileURLToPath(new URL("../dist/compute-process.js", import.meta.url));
  const parent = spawn(process.execPath, ["-e", PARENT, main], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  parent.stderr.on("data", (text) => {
    said += text;
  });
  // The child writes where its parent does: there is an end to that when both have ended.
  const signal = await new Promise((resolve) => parent.on("close", (_, how) => resolve(how)));
  expect([signal, said]).toEqual(["SIGKILL", ""]);
});

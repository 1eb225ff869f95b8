// saunet serve as a process: results of a real child, many clients, a child that is killed, an end in good order.

import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  build,
  command,
  type Started,
  saunet,
  smallFundus,
  start,
  write,
  writeFreshWeights,
} from "./testing.ts";

let here: string;
const running: Started[] = [];
const files = new Map<string, { photograph: Buffer; mask: Buffer }>();

beforeAll(async () => {
  await build();
  here = await mkdtemp(join(tmpdir(), "saunet-serve-"));
  await writeFreshWeights(join(here, "tiny.safetensors"));
  const names = ["a", "b", "c"];
  for (const [index, name] of names.entries())
    await write(join(here, `${name}.png`), smallFundus(index + 1).image);
  const photographs = names.map((name) => `${name}.png`);
  // In a process, as the service computes: with the same instructions.
  const segment = start(here, process.execPath, [
    command,
    "segment",
    ...photographs,
    "--weights",
    "tiny.safetensors",
    "-o",
    "out",
  ]);
  expect((await segment.ended).code).toBe(0);
  for (const name of names) {
    const read = (file: string) => readFile(join(here, file));
    files.set(name, { photograph: await read(`${name}.png`), mask: await read(`out/${name}-mask.png`) });
  }
});
afterAll(async () => {
  for (const { child } of running) child.kill("SIGKILL");
  await rm(here, { recursive: true });
});

/** Starts the service and waits until it is ready. */
async function serve(...argv: string[]) {
  const all = ["serve", "--port", "0", "--threads", "1", "--weights", "tiny.safetensors", ...argv];
  const started = start(here, process.execPath, [command, ...all]);
  running.push(started);
  let log = "";
  started.child.stdout?.on("data", (data) => {
    log += data;
  });
  await expect.poll(() => log).toMatch(/listening on http:/);
  const [address] = /http:\/\/[\d.:]+/.exec(log) ?? [];
  const ready = async () => (await fetch(`${address}/v2/health/ready`)).status;
  await expect.poll(ready).toBe(200);
  const post = (name: string) =>
    fetch(`${address}/v1/segmentations`, {
      method: "POST",
      body: files.get(name)?.photograph as BodyInit,
      headers: { "content-type": "image/png", accept: "image/png" },
    });
  return { ...started, address, ready, post, log: () => log };
}

/** The process that computes for another. */
const childOf = (pid: number | undefined): number =>
  Number(execFileSync("pgrep", ["-P", String(pid)]).toString());

it("gives 50 clients at once nothing but what saunet segment writes, though its process is killed meanwhile", async () => {
  const { post, child, ended, ready, address } = await serve("--waiting", "8");
  const counts: Record<number, number> = {};
  const names = [...files.keys()];
  let kills = 0;
  const client = async (number: number) => {
    for (let request = 0; request < 4; request++) {
      const name = names[(number + request) % names.length];
      for (;;) {
        const answer = await post(name);
        counts[answer.status] = (counts[answer.status] ?? 0) + 1;
        const body = Buffer.from(await answer.arrayBuffer());
        if (answer.status === 200) {
          expect(body.equals(files.get(name)?.mask ?? Buffer.alloc(0))).toBe(true);
          break;
        }
        expect([429, 503]).toContain(answer.status);
        expect(Number(answer.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
        await pause(50 + 10 * number);
      }
    }
  };
  const clients = Promise.all(Array.from({ length: 50 }, (_, number) => client(number)));
  for (let kill = 0; kill < 2; kill++) {
    await pause(400);
    try {
      process.kill(childOf(child.pid), "SIGKILL");
      kills++;
    } catch {
      // It is being made anew.
    }
  }
  await clients;
  expect(counts[200]).toBe(200);
  expect(counts[429]).toBeGreaterThan(0);
  expect(kills).toBeGreaterThan(0);
  await expect.poll(ready).toBe(200);
  expect(await (await fetch(`${address}/metrics`)).text()).toMatch(
    new RegExp(`saunet_process_losses ${kills}\n`),
  );
  child.kill("SIGTERM");
  const { code, err } = await ended;
  expect(code).toBe(0);
  expect(err.split("\n").slice(0, -1)).toEqual(
    Array(kills).fill("saunet: the process that segments ended (SIGKILL)"),
  );
});

it("answers what it was asked for when it ends, and leaves no process behind", async () => {
  const { post, child, ended, log } = await serve();
  const computes = childOf(child.pid);
  process.kill(computes, "SIGSTOP");
  const held = ["a", "b"].map(post);
  await pause(500);
  child.kill("SIGTERM");
  await expect.poll(log).toContain("ending");
  expect((await post("c")).status).toBe(503);
  process.kill(computes, "SIGCONT");
  for (const [index, name] of ["a", "b"].entries()) {
    const answer = await held[index];
    expect(answer.status).toBe(200);
    expect(Buffer.from(await answer.arrayBuffer()).equals(files.get(name)?.mask ?? Buffer.alloc(0))).toBe(
      true,
    );
  }
  expect((await ended).code).toBe(0);
  await expect.poll(() => isThere(computes)).toBe(false);
});

it("goes with its parent, however that ends", async () => {
  const { child } = await serve();
  const computes = childOf(child.pid);
  child.kill("SIGKILL");
  await expect.poll(() => isThere(computes)).toBe(false);
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

it("says in one line what it cannot do", async () => {
  await writeFile(join(here, "token"), "short");
  const one = await serve();
  const port = String(new URL(String(one.address)).port);
  for (const [argv, code, line] of [
    [
      ["--port", port],
      1,
      `saunet: cannot listen on 127.0.0.1, port ${port}: something else listens there already\n`,
    ],
    [["--weights", "none"], 1, "saunet: none: no such file or folder\n"],
    [
      ["--token-file", "token"],
      1,
      "saunet: token: a token must have at least 16 characters of ASCII without spaces\n",
    ],
    [["--prot", "1"], 2, "saunet: unknown option '--prot' (Did you mean --port?)\n"],
  ] as const) {
    const { code: found, err } = await start(here, process.execPath, [command, "serve", ...argv]).ended;
    expect([found, err]).toEqual([code, line]);
  }
  expect((await saunet(here, ["serve", "--help"])).out).toContain("--token-file");
});

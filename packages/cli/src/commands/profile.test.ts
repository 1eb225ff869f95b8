import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keeper, saunet, smallFundus, write, writeFreshWeights } from "../testing.ts";
import type { Trace } from "../trace.ts";
import { profile } from "./profile.ts";

let here: string;
const run = (...argv: string[]) =>
  saunet(here, ["profile", "--weights", "tiny.safetensors", "--runs", "3", ...argv]);

beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-profile-"));
  await writeFreshWeights(join(here, "tiny.safetensors"));
  await write(join(here, "photo.png"), smallFundus(1).image);
});
afterAll(() => rm(here, { recursive: true }));

describe("saunet profile", () => {
  it("times every call of a run", async () => {
    const { code, out, err } = await run("--size", "64x96", "--threads", "2", "--json");
    expect([code, err]).toEqual([0, ""]);
    const { model, input, threads, milliseconds, calls } = JSON.parse(out);
    expect({ model, input, threads }).toEqual({ model: "tiny", input: [64, 96, 3], threads: 2 });
    expect(milliseconds.whole).toBeGreaterThan(0);
    expect(calls[0]).toMatchObject({
      layer: "encoder1.conv1",
      // 3x3 taps of 3 channels into 8, two FLOPs each.
      flops: 2 * 64 * 96 * 9 * 3 * 8,
    });
    expect(calls.at(-1).layer).toBe("head");
    // So many in and out; the kernel is joined with what follows.
    const joined = calls.filter(({ layer }: { layer: string }) => layer === "encoder1.conv2");
    expect(joined.map(({ flops }: { flops: number }) => flops)).toEqual([2 * 64 * 96 * 9 * 8 * 8]);
    for (const call of calls) {
      expect("flops" in call, call.kernel).toBe(call.kernel.startsWith("conv2d."));
      expect(call.milliseconds).toBeGreaterThan(0);
      expect(call.bytes).toBeGreaterThan(0);
      expect(call.code.length).toBeGreaterThan(0);
    }
    const sum = (key: string) =>
      calls.reduce((total: number, call: Record<string, number>) => total + call[key], 0);
    expect(sum("share")).toBeCloseTo(1);
  });

  it("prints a line a call, and one for all", async () => {
    const { out } = await run("photo.png", "--threads", "1");
    const lines = out.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^layer +kernel +ms +% +GFLOP\/s +MB +GB\/s +threads +code$/);
    expect(lines[1]).toMatch(/^encoder1.conv1 +conv2d/);
    // Each value stands at the right of its column; what is no convolution has no FLOPs.
    const end = lines[0].indexOf("GFLOP/s") + "GFLOP/s".length;
    const columns = lines.slice(1, -2).map((line) => line.slice(lines[0].indexOf("%") + 1, end).trim());
    for (const [i, column] of columns.entries())
      expect(column, lines[1 + i]).toMatch(lines[1 + i].includes(" conv2d.") ? /^[\d.]+$/ : /^$/);
    expect(lines.at(-1)).toMatch(
      /^tiny on 48x48x3, 1 thread, median of 3 runs: [\d.]+ ms step by step, [\d.]+ ms in one piece \([\d.]+ GFLOP\/s\)$/,
    );
  });

  it("writes a trace with an event for each step and thread, none before the beginning", async () => {
    const { code } = await run("--size", "64x64", "--threads", "2", "--trace", "trace.json", "--json");
    expect(code).toBe(0);
    const { traceEvents }: Trace = JSON.parse(await readFile(join(here, "trace.json"), "utf8"));
    const [named, timed] = ["M", "X"].map((phase) => traceEvents.filter(({ ph }) => ph === phase));
    // A worker that was never awake in time has no part in it.
    const workers = timed.some(({ tid }) => tid === 1) ? ["worker 1"] : [];
    expect(named.map(({ name, args }) => [name, args.name])).toEqual([
      ["process_name", "tiny on 64x64x3"],
      ...["caller", ...workers].map((thread) => ["thread_name", thread]),
    ]);
    expect(timed[0]).toMatchObject({ cat: expect.stringContaining("conv2d"), args: { call: 0 } });
    expect([0, 1]).toEqual(expect.arrayContaining(timed.map(({ tid }) => tid)));
    expect(Math.min(...timed.map(({ ts }) => ts!))).toBe(0);
    for (const { ts, dur } of timed) {
      expect(ts).toBeGreaterThanOrEqual(0);
      expect(dur).toBeGreaterThanOrEqual(0);
    }
    // What a thread does, it does one after the other.
    for (const thread of [0, 1]) {
      const own = timed.filter(({ tid }) => tid === thread).sort((a, b) => a.ts! - b.ts!);
      own.slice(1).forEach((event, i) => {
        expect(event.ts! + 0.001).toBeGreaterThanOrEqual(own[i].ts! + own[i].dur!);
      });
    }
  });

  it("profiles core's own kernels where nothing is accelerated", async () => {
    const out = keeper();
    const host = { stdout: out.stream, stderr: keeper().stream, cwd: here };
    const trace = "portable.json";
    const options = { weights: "tiny.safetensors", runs: 1, maxPixels: 1e6, json: true, trace };
    expect(await profile("photo.png", options, host)).toBe(0);
    for (const { kernel, code, threads } of JSON.parse(out.text()).calls) {
      expect([code, threads]).toEqual([[kernel], 1]);
    }
    const { traceEvents }: Trace = JSON.parse(await readFile(join(here, trace), "utf8"));
    const [, caller, ...timed] = traceEvents;
    expect(caller).toMatchObject({ name: "thread_name", tid: 0, args: { name: "caller" } });
    for (const event of timed)
      expect(event).toMatchObject({ ph: "X", tid: 0, ts: expect.any(Number), dur: expect.any(Number) });
  });

  it("refuses a size beside a photograph, and names a file that cannot be written", async () => {
    expect(await run("photo.png", "--size", "64x64")).toMatchObject({
      code: 2,
      err: "saunet: a photograph has a size of its own: name one or give --size, not both\n",
    });
    expect(await run("photo.png", "--trace", "nowhere/trace.json")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^saunet: nowhere\/trace.json: /),
    });
    expect(await run("missing.png")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^saunet: missing.png: /),
    });
  });
});

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { randomState, SafetensorsError } from "@saunet/core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { saUNet, saUNetV2 } from "./config.ts";
import { readLocal } from "./host/web.ts";
import { loadWeights } from "./load-weights.ts";
import { initialize } from "./parameters.ts";
import { WeightsError, writeWeights } from "./weights.ts";

const config = { ...saUNetV2, name: "tiny", channels: [8, 8] };
const parameters = initialize(config, randomState(1));
const bytes = writeWeights({ config, parameters, metadata: { licence: "MIT" } });
const sha256 = createHash("sha256").update(bytes).digest("hex");

let folder: string;
let path: string;
let server: Server;
let url: string;

/** Answers without end that are still being sent. */
const sending = new Set<ServerResponse>();

function endless(response: ServerResponse, part: Uint8Array): void {
  sending.add(response);
  response.on("close", () => sending.delete(response));
  const more = () => {
    while (!response.destroyed && response.write(part));
  };
  response.on("drain", more);
  more();
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-weights-"));
  path = join(folder, "tiny one.safetensors");
  await writeFile(path, bytes);
  server = createServer((request, response) => {
    if (request.url === "/missing") response.writeHead(404).end();
    else if (request.url === "/page") response.end("<!doctype html><title>Sign in</title>");
    else if (request.url === "/zeros") endless(response, new Uint8Array(1000));
    else if (request.url === "/unsized") {
      response.write(bytes.subarray(0, 1000));
      response.end(bytes.subarray(1000));
    } else if (request.url === "/packed") {
      const packed = gzipSync(bytes);
      response.writeHead(200, { "content-encoding": "gzip", "content-length": packed.length }).end(packed);
    } else if (request.url === "/endless") endless(response, bytes);
    else response.writeHead(200, { "content-length": bytes.length }).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

describe("loadWeights", () => {
  it.each<[string, () => Parameters<typeof loadWeights>[0]]>([
    ["bytes", () => bytes],
    [
      "bytes in shared memory",
      () => new Uint8Array(new SharedArrayBuffer(bytes.length)).fill(0).map((_, i) => bytes[i]),
    ],
    ["a Blob", () => new Blob([new Uint8Array(bytes)])],
    ["a path", () => path],
    ["a file: URL", () => pathToFileURL(path)],
    ["a file: URL as text", () => pathToFileURL(path).href],
    ["a URL", () => new URL(`${url}/weights`)],
    ["a URL as text", () => `${url}/unsized`],
    ["a URL whose server compresses", () => `${url}/packed`],
    ["a data: URL", () => `data:application/octet-stream;base64,${Buffer.from(bytes).toString("base64")}`],
  ])("reads %s and checks the hash", async (_, source) => {
    const progress: [number, number | undefined][] = [];
    const onProgress = (loaded: number, total: number | undefined) => void progress.push([loaded, total]);
    const loaded = await loadWeights(source(), { sha256: sha256.toUpperCase(), onProgress });
    expect(loaded.config).toEqual(config);
    expect(loaded.metadata).toEqual({ licence: "MIT" });
    expect(loaded.parameters["head.filter"].data).toEqual(parameters["head.filter"].data);
    expect(progress.at(-1)![0]).toBe(bytes.length);
    const wrong = loadWeights(source(), { sha256: "0".repeat(64) });
    await expect(wrong).rejects.toThrow(`SHA-256 must be ${"0".repeat(64)} but is ${sha256}`);
  });

  it("tells how much is to come where the server does", async () => {
    const totals = new Set<number | undefined>();
    await loadWeights(`${url}/weights`, { onProgress: (_, total) => totals.add(total) });
    for (const unstated of ["unsized", "packed"]) {
      const progress: (number | undefined)[] = [];
      await loadWeights(`${url}/${unstated}`, { onProgress: (_, total) => progress.push(total) });
      expect(new Set(progress), unstated).toEqual(new Set([undefined]));
    }
    expect([...totals]).toEqual([bytes.length]);
  });

  it("refuses what the server does not have, what never ends, and what is too large", async () => {
    await expect(loadWeights(`${url}/missing`)).rejects.toThrow(`${url}/missing answered 404 Not Found`);
    const limit = { maxBytes: 3 * bytes.length };
    await expect(loadWeights(`${url}/endless`, limit)).rejects.toThrow(/the limit is/);
    await expect.poll(() => sending.size).toBe(0);
    for (const source of [bytes, new Blob([new Uint8Array(bytes)]), path, `${url}/weights`]) {
      await expect(loadWeights(source, { maxBytes: 100 })).rejects.toThrow(WeightsError);
    }
  });

  it("refuses a damaged file, another network and what is no hash", async () => {
    await expect(loadWeights(bytes.subarray(0, 5000))).rejects.toThrow(SafetensorsError);
    await expect(loadWeights(bytes, { config: saUNet })).rejects.toThrow("not a sa-unet");
    await expect(loadWeights(bytes, { sha256: "abc" })).rejects.toThrow(
      "64 hexadecimal digits, which abc has not",
    );
    await expect(loadWeights(join(folder, "none"))).rejects.toThrow("ENOENT");
  });

  it("refuses by size and first bytes, before it reads on", async () => {
    const sparse = join(folder, "sparse");
    const file = await open(sparse, "w");
    await file.truncate(1.9e9);
    await file.close();
    const zeros = join(folder, "zeros");
    const small = await open(zeros, "w");
    await small.truncate(400e6);
    await small.close();
    const short = join(folder, "short");
    await writeFile(short, bytes.subarray(0, 600));
    const before = process.memoryUsage().rss;
    await expect(loadWeights(sparse)).rejects.toThrow("has 1900000000 bytes or more; the limit is 512000000");
    await expect(loadWeights(zeros)).rejects.toThrow("weights: not a safetensors file");
    await expect(loadWeights("/dev/zero")).rejects.toThrow("weights: not a safetensors file");
    await expect(loadWeights("/dev/urandom")).rejects.toThrow(WeightsError);
    await expect(loadWeights(`${url}/zeros`)).rejects.toThrow("weights: not a safetensors file");
    await expect(loadWeights(`${url}/page`)).rejects.toThrow("the file is a web page");
    await expect(loadWeights(short)).rejects.toThrow(/ends too early: its header takes \d+ bytes, the whole/);
    await expect(loadWeights(folder)).rejects.toThrow("EISDIR");
    await expect(loadWeights("/dev/null")).rejects.toThrow("weights: not a safetensors file");
    expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
  });

  it.runIf(existsSync("/proc/self/fd"))("closes a file, whether it was read or refused", async () => {
    const opened = () =>
      readdirSync("/proc/self/fd").filter((descriptor) => {
        try {
          return readlinkSync(`/proc/self/fd/${descriptor}`) === path;
        } catch {
          // That of the list itself is closed by now.
          return false;
        }
      });
    const file = await open(path);
    expect(opened()).toHaveLength(1);
    await file.close();
    await loadWeights(path);
    await expect(loadWeights(path, { maxBytes: 100 })).rejects.toThrow("the limit is 100");
    expect(opened()).toEqual([]);
  });

  it("reads a pipe to its end, or to the limit", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const [loaded] = await Promise.all([loadWeights(pipe), writeFile(pipe, bytes)]);
    expect(loaded.config).toEqual(config);
    const limited = loadWeights(pipe, { maxBytes: 1000 });
    await Promise.all([
      expect(limited).rejects.toThrow("the limit is 1000"),
      writeFile(pipe, bytes).catch(() => {}),
    ]);
  });

  it("takes an option that is undefined for one that is left out", async () => {
    const options = {
      config: undefined,
      sha256: undefined,
      onProgress: undefined,
      signal: undefined,
      maxBytes: undefined,
    };
    expect((await loadWeights(path, options)).config).toEqual(config);
    await expect(loadWeights(new ArrayBuffer(8) as never)).rejects.toThrow(
      new TypeError("loadBytes: source must be a Uint8Array, a Blob, a URL or a path"),
    );
  });

  it("refuses what is on its way by its first 512 bytes, and by each byte beyond the limit", async () => {
    /** An answer that begins with some bytes, in parts, and never ends. */
    const endless = (head: Uint8Array, part: number) => {
      let at = 0;
      const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
        if (at >= head.length) return new Promise<void>(() => {});
        controller.enqueue(head.subarray(at, at + part));
        at += part;
      };
      vi.stubGlobal("fetch", async () => new Response(new ReadableStream({ pull }) as BodyInit));
      return loadWeights("https://example.org/weights");
    };
    try {
      for (const part of [100, 512, 600])
        await expect(endless(new Uint8Array(600), part)).rejects.toThrow("weights: not a safetensors file");
      const page = new TextEncoder().encode("<!doctype html>".padEnd(600));
      await expect(endless(page, 256)).rejects.toThrow("the file is a web page");
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it("says where nothing can be hashed, and which hash was found in the letters that hashes have", async () => {
    await expect(loadWeights(bytes, { sha256: "A".repeat(64) })).rejects.toThrow(
      `weights: the file's SHA-256 must be ${"a".repeat(64)} but is ${sha256}`,
    );
    for (const crypto of [undefined, {}]) {
      vi.stubGlobal("crypto", crypto);
      await expect(loadWeights(bytes, { sha256 })).rejects.toThrow(
        "weights: the SHA-256 cannot be checked, since browsers hash on secure pages only (https)",
      );
      vi.unstubAllGlobals();
    }
  });

  it("ends when it is told to", async () => {
    const signal = AbortSignal.abort();
    await expect(loadWeights(`${url}/weights`, { signal })).rejects.toThrow("aborted");
    await expect(loadWeights(bytes, { signal })).rejects.toThrow("aborted");
  });

  it("leaves everything to fetch in a browser", async () => {
    expect(await readLocal("weights.safetensors")).toBeUndefined();
  });
});

describe("writeWeights", () => {
  it("stores halves in half the bytes, and they read back as the nearest", async () => {
    const half = writeWeights({ config, parameters, metadata: {} }, { half: true });
    expect(half.length).toBeLessThan(0.6 * bytes.length);
    const read = await loadWeights(half);
    for (const [name, { data }] of Object.entries(parameters)) {
      const found = read.parameters[name].data;
      for (let i = 0; i < data.length; i++) {
        expect(Math.abs(found[i] - data[i])).toBeLessThanOrEqual(
          Math.max(2 ** -11 * Math.abs(data[i]), 2 ** -25),
        );
      }
    }
  });
});

// Errors that name a file as the user did.

import { mkdtemp, readFile, rm, writeFile as write } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EndedError, requestOf, throwIfAsked, untilAsked } from "./ending.ts";
import { UsageError, WorkError } from "./errors.ts";
import { openNetwork, openSegmenter, sha256, withFile, writeFile } from "./files.ts";
import { counted, secondsSince } from "./output.ts";
import { keeper, tiny, writeFreshWeights } from "./testing.ts";

let here: string;
const host = () => ({ stdout: keeper().stream, stderr: keeper().stream, cwd: here });
beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-files-"));
});
afterAll(() => rm(here, { recursive: true }));

describe("work with a file", () => {
  it("is given the whole path, and its result comes back", async () => {
    expect(await withFile(host(), "a.txt", (path) => path)).toBe(join(here, "a.txt"));
  });

  it.each<[reason: (path: string) => string, message: string]>([
    [() => "is damaged", "a.txt: is damaged"],
    [() => "damaged as a.txt", "a.txt: damaged as a.txt"],
    [(path) => `${path}: is damaged`, "a.txt: is damaged"],
    [(path) => `${path} is not ${path}.bak`, "a.txt is not a.txt.bak"],
  ])("fails with the name in front, once", async (reason, message) => {
    const cause = new WorkError();
    const failed = withFile(host(), "a.txt", (path) => {
      cause.message = reason(path);
      throw cause;
    });
    await expect(failed).rejects.toThrow(new WorkError(message));
    await expect(failed).rejects.toHaveProperty("cause", cause);
  });

  it("leaves what the command line asked for wrongly as it is", async () => {
    const usage = new UsageError("option '--out' is wrong");
    await expect(
      withFile(host(), "a.txt", () => {
        throw usage;
      }),
    ).rejects.toBe(usage);
  });
});

it("a file that is written is there whole", async () => {
  await writeFile(host(), "b.txt", "text");
  expect(await readFile(join(here, "b.txt"), "utf8")).toBe("text");
});

it("weights are those of the file, or those that come with the command", async () => {
  await writeFreshWeights(join(here, "tiny.safetensors"));
  expect((await openNetwork(host(), "tiny.safetensors")).config).toEqual(tiny);
  expect((await openNetwork(host(), undefined)).config.name).toBe("sa-unet-v2");
  expect((await openSegmenter(host(), undefined)).config.name).toBe("sa-unet-v2");
  await write(join(here, "text.safetensors"), "no weights");
  await expect(openSegmenter(host(), "text.safetensors")).rejects.toThrow(/^text\.safetensors: /);
});

it("hashes are SHA-256", () => {
  // FIPS 180-2, appendix B.1.
  expect(sha256("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

it("counts have their noun, and seconds are seconds", () => {
  expect([0, 1, 2].map((count) => counted(count, "image"))).toEqual(["0 images", "1 image", "2 images"]);
  expect(secondsSince(performance.now() - 90_000)).toBeCloseTo(90, 0);
});

describe("work that can be asked to end", () => {
  const request = { exitCode: 130, reason: "SIGINT", isSignal: true };

  it("hears of it while it is done, and nobody listens afterwards", async () => {
    const listeners = new Set<(asked: typeof request) => void>();
    const onEndRequest = (listener: (asked: typeof request) => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    };
    const work = async (signal: AbortSignal) => {
      expect(requestOf(signal)).toBeUndefined();
      throwIfAsked(signal, () => "nothing was done");
      for (const listener of listeners) listener(request);
      expect(requestOf(signal)).toBe(request);
      throwIfAsked(signal, () => "half was done");
    };
    const ended = untilAsked({ ...host(), onEndRequest }, work);
    await expect(ended).rejects.toThrow(new EndedError(request, "half was done"));
    await expect(ended).rejects.toMatchObject({ message: "SIGINT: half was done", exitCode: 130 });
    expect(listeners.size).toBe(0);
  });

  it("is done to its end where nobody asks, or nobody can", async () => {
    expect(await untilAsked(host(), async (signal) => signal.aborted)).toBe(false);
  });
});

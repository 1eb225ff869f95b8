import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readWeights } from "@saunet/model";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { saunet, tiny, writeFreshWeights, writeSpoiltWeights } from "../testing.ts";

let here: string;
beforeEach(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-average-"));
  await writeFreshWeights(join(here, "a.safetensors"), tiny, 1);
  await writeFreshWeights(join(here, "b.safetensors"), tiny, 2);
});
afterEach(() => rm(here, { recursive: true }));
const open = async (file: string) => readWeights(await readFile(join(here, file)));

describe("saunet average", () => {
  it("writes weights that lie in the middle and segment", async () => {
    const { code, out, err } = await saunet(here, [
      "average",
      "a.safetensors",
      "b.safetensors",
      "-o",
      "c.safetensors",
    ]);
    expect([code, out, err]).toEqual([0, "tiny, the average of 2 weights files -> c.safetensors\n", ""]);
    const [a, b, c] = await Promise.all(["a", "b", "c"].map((name) => open(`${name}.safetensors`)));
    expect(c.metadata).toEqual({ "averaged-from": "a.safetensors, b.safetensors" });
    for (const [name, { data }] of Object.entries(c.parameters)) {
      const [one, other] = [a.parameters[name].data, b.parameters[name].data];
      expect(data).toEqual(one.map((value, i) => (value + other[i]) / 2));
    }
    const segmented = await saunet(here, ["segment", "--weights", "c.safetensors", "--json"]);
    expect(segmented.code).toBe(0);
  });

  it("writes over none of its inputs", async () => {
    const before = await readFile(join(here, "a.safetensors"));
    const { code, err } = await saunet(here, [
      "average",
      "a.safetensors",
      "b.safetensors",
      "-o",
      "./a.safetensors",
    ]);
    expect(code).toBe(2);
    expect(err).toMatch(/would be written over a\.safetensors; choose another --out\n$/);
    expect(await readFile(join(here, "a.safetensors"))).toEqual(before);
  });

  it("says as JSON what it averaged", async () => {
    const argv = [
      "average",
      "a.safetensors",
      "b.safetensors",
      "b.safetensors",
      "-o",
      "c.safetensors",
      "--json",
    ];
    const { out } = await saunet(here, argv);
    expect(JSON.parse(out)).toMatchObject({
      network: { name: "tiny" },
      averaged: ["a.safetensors", "b.safetensors", "b.safetensors"],
      file: "c.safetensors",
    });
  });

  it.each<[string, readonly string[], number, RegExp]>([
    [
      "another network",
      ["a.safetensors", "wide.safetensors"],
      1,
      /must belong to one network but are of tiny and of wide/,
    ],
    ["a single file", ["a.safetensors"], 2, /average wants two weights files or more but was given 1/],
    ["a file that is not there", ["a.safetensors", "none.safetensors"], 1, /none\.safetensors: no such file/],
    [
      "what holds no weights",
      ["a.safetensors", "text.safetensors"],
      1,
      /text\.safetensors: weights: not a safetensors file/,
    ],
    [
      "weights with NaN",
      ["a.safetensors", "nan.safetensors"],
      1,
      /nan\.safetensors: weights: "head\.bias" holds 1/,
    ],
  ])("refuses %s in one line, and leaves no file", async (_, files, exit, line) => {
    await writeFreshWeights(join(here, "wide.safetensors"), { ...tiny, name: "wide", channels: [8, 16] });
    await writeFile(join(here, "text.safetensors"), "no weights");
    await writeSpoiltWeights(join(here, "nan.safetensors"));
    const before = await readdir(here);
    const { code, out, err } = await saunet(here, ["average", ...files, "-o", "c.safetensors"]);
    expect([code, out]).toEqual([exit, ""]);
    expect(err).toMatch(line);
    expect(err.trimEnd()).not.toContain("\n");
    expect(await readdir(here)).toEqual(before);
  });
});

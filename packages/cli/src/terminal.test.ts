import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Comparison } from "./evaluation.ts";
import { csvOf } from "./figures.ts";
import { printable, printableJson, printableLines } from "./terminal.ts";
import { keeper, saunet, smallFundus, write, writeFolder, writeFreshWeights } from "./testing.ts";

describe("printable", () => {
  it("writes out what a terminal would obey, and leaves every script as it is", () => {
    expect(printable("a\u001b[2Jb\u009b1m\u007f\r\n\u202egnp")).toBe(
      "a\\x1b[2Jb\\x9b1m\\x7f\\x0d\\x0a\\u202egnp",
    );
    const names = "Auge links – œil, 眼, عين, глаз 👁️‍🗨️ ~!'\"\\";
    expect([printable(names), printableLines(`${names}\n`)]).toEqual([names, `${names}\n`]);
    expect(printableLines("one\ntwo\r\n")).toBe("one\ntwo\\x0d\n");
  });

  it("leaves the meaning of JSON as it is", () => {
    const value = { name: "a\u001b\u007f\u009b\u202e\u2028 \\ é" };
    const text = printableJson(JSON.stringify(value));
    expect(JSON.parse(text)).toEqual(value);
    expect(text).toBe('{"name":"a\\u001b\\u007f\\u009b\\u202e\\u2028 \\\\ é"}');
  });
});

describe.runIf(process.platform !== "win32")("a name with escapes", () => {
  const evil = "\u001b]0;title\u0007\u001b[31m\u009b2J\nsaunet: done\r\u202e";
  let here: string;
  beforeAll(async () => {
    here = await mkdtemp(join(tmpdir(), "saunet-terminal-"));
    await writeFreshWeights(join(here, `${evil}.safetensors`));
    await writeFreshWeights(join(here, "tiny.safetensors"));
    await write(join(here, `${evil}.png`), smallFundus(1).image);
    await writeFolder(join(here, `set${evil}`), [`eye${evil}`, "plain"]);
    await mkdir(join(here, `out${evil}`));
    await saunet(here, ["train", "-o", `ran${evil}`, ...trained]);
  });
  afterAll(() => rm(here, { recursive: true }));

  const weights = ["--weights", `${evil}.safetensors`];
  const set = ["--dataset", "folder", "--data", `set${evil}`];
  const trained = [...set, ...weights, "--crop", "16", "--batch", "1", "--epochs", "1", "--steps", "1"];
  it.each<[what: string, code: number, argv: string[]]>([
    ["segment", 0, ["segment", `${evil}.png`, "-o", `out${evil}`, ...weights]],
    ["segment of what is missing", 1, ["segment", `no${evil}.png`, ...weights]],
    ["evaluate", 0, ["evaluate", ...set, ...weights, "--csv", `figures${evil}.csv`]],
    ["train", 0, ["train", "-o", `run${evil}`, ...trained]],
    ["report", 0, ["report", `ran${evil}`]],
    ["inspect of what is missing", 1, ["inspect", `no${evil}`]],
    ["average", 0, ["average", `${evil}.safetensors`, "tiny.safetensors", "-o", `both${evil}.safetensors`]],
    ["export", 0, ["export", ...weights, "--onnx", `${evil}.onnx`]],
    ["export with a usage error", 2, ["export", `--${evil}`]],
    ["profile of what is missing", 1, ["profile", `no${evil}`]],
    ["import of what is missing", 1, ["import", `no${evil}`, "-o", "x"]],
  ])("never reaches the terminal: %s", async (_, code, argv) => {
    for (const json of [[], ["--json"]]) {
      if (argv[0] === "train") await rm(join(here, `run${evil}`), { recursive: true, force: true });
      const { code: ended, out, err } = await saunet(here, [...argv, ...json]);
      expect(ended).toBe(code);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      expect(out + err).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
      expect(out + err).not.toMatch(/^saunet: done/m);
      expect(out + err).toMatch(/\\x1b\]0;title|\\u001b\]0;title/);
    }
  });

  it("stands written out behind a progress bar", async () => {
    const terminal = keeper({ isTTY: true });
    await saunet(here, ["segment", `${evil}.png`, "-o", "bar", ...weights], { stderr: terminal.stream });
    expect(terminal.text()).toContain("\\x1b]0;title\\x07");
    expect(terminal.text()).not.toContain("\u001b]0;title");
  });
});

describe("a cell of CSV", () => {
  it.each([
    ["=1+1", "'=1+1"],
    ["+1", "'+1"],
    ["-1", "'-1"],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["\t=1", "'\t=1"],
    ["=a,b", `"'=a,b"`],
    [`say "a"`, `"say ""a"""`],
    ["a\rb", `"a\rb"`],
    ["a=1", "a=1"],
  ])("that holds %j is no formula", (id, cell) => {
    const metrics = { f1: -0.5 } as Comparison["images"][number]["full"];
    const image = { id, full: metrics, fov: metrics };
    const field = { images: [{ id, clDice: 1 }] };
    const comparison = { prediction: "network", truth: "first", threshold: 0.5, images: [image], field };
    const [, row] = csvOf([comparison as unknown as Comparison]).split(/\n/);
    expect(row.startsWith(`${cell},network,first,0.5,`)).toBe(true);
    // A figure below 0 stays a number.
    expect(row).toContain(",-0.5,");
  });
});

import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { keeper, saunet } from "./testing.ts";

const here = tmpdir();

/** Exit code 2 and one line that is all there is. */
async function expectUsage(argv: readonly string[], line: RegExp): Promise<void> {
  const { code, out, err } = await saunet(here, argv);
  expect(err).toMatch(line);
  expect(err.trimEnd()).not.toContain("\n");
  expect([code, out]).toEqual([2, ""]);
}

describe("saunet", () => {
  it("prints its version", async () => {
    const { code, out, err } = await saunet(here, ["--version"]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    [],
    ["segment"],
    ["train"],
    ["evaluate"],
    ["measure"],
    ["inspect"],
    ["profile"],
    ["average"],
    ["import"],
    ["export"],
  ])("shows help with examples: %s", async (...argv) => {
    const { code, out, err } = await saunet(here, [...argv, "--help"]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain(["Usage: saunet", ...argv].join(" "));
    expect(out).toMatch(/Examples:\n {2}\$ saunet /);
  });

  /** What help lists (arguments, options, commands), with what it says of each. */
  function listed(help: string, section: string): [term: string, about: string][] {
    const [, text = ""] = new RegExp(`^${section}:\\n((?: {2}.*\\n)+)`, "m").exec(help) ?? [];
    const entries = text.replace(/\n {3,}/g, "   ").split("\n");
    return entries
      .filter((line) => line !== "")
      .map((line) => line.trim().split(/ {2,}/) as [string, ...string[]])
      .map(([term, ...about]) => [term, about.join(" ")]);
  }

  it("says what every command, argument and option is for", async () => {
    const { out: whole } = await saunet(here, ["--help"]);
    const commands = listed(whole, "Commands");
    expect(commands.length).toBeGreaterThan(12);
    for (const [term, about] of commands) {
      expect(about, term).toMatch(/^[a-z].{14,}/);
      const [name] = term.split(" ");
      if (name === "help") continue;
      const { out } = await saunet(here, [name, "--help"]);
      expect(out.split("\n")[2], name).toMatch(/^[a-z].{14,}/i);
      const [usage] = out.split("\n");
      const wanted = [...usage.matchAll(/[<[](?!options|command)([a-z]+)/g)].map(([, argument]) => argument);
      expect(
        listed(out, "Arguments").map(([argument]) => argument),
        usage,
      ).toEqual(wanted);
      for (const [own, what] of [...listed(out, "Arguments"), ...listed(out, "Options")])
        expect(what, `${name} ${own}`).toMatch(/^[a-z\d].{5,}/i);
    }
  });

  it("has examples, each of a command that there is, with options that it knows", async () => {
    const { out: whole } = await saunet(here, ["--help"]);
    const names = listed(whole, "Commands").map(([term]) => term.split(" ")[0]);
    const known = new Map<string, string>();
    // Two come from another package.
    for (const name of names.filter((name) => !["help", "serve", "screen"].includes(name)))
      known.set(name, (await saunet(here, [name, "--help"])).out);
    for (const help of [whole, ...known.values()]) {
      const [, text = ""] = /\nExamples:\n([\s\S]*)$/.exec(help) ?? [];
      const lines = text.trimEnd().split("\n");
      for (const line of lines) {
        const [, name, ...rest] = line.trim().replace(/^\$ /, "").split(" ");
        expect(line, help).toMatch(/^ {2}\$ saunet [a-z]+/);
        const own = known.get(name);
        expect(own, line).toBeDefined();
        for (const option of rest.filter((word) => word.startsWith("-")))
          expect(own, line).toMatch(new RegExp(`^ {2}.*${option}[ ,\n]`, "m"));
      }
    }
  });

  it.each<[argv: string[], line: RegExp]>([
    [[], /^saunet: no command given; see saunet --help\n$/],
    [["segmnt"], /unknown command 'segmnt' \(Did you mean segment\?\)/],
    [["segment", "--treshold", "1"], /unknown option '--treshold' \(Did you mean --threshold\?\)/],
    [["segment", "--threshold"], /option '--threshold <p>' argument missing/],
    [
      ["segment", "--threshold", "1.5"],
      /'--threshold <p>' argument '1.5' is invalid. It must be a number from 0 to 1/,
    ],
    [["segment", "--threshold", ""], /'--threshold <p>' argument '' is invalid/],
    [
      ["segment", "--pad-to", "0"],
      /'--pad-to <n>' argument '0' is invalid. It must be an integer of at least 1/,
    ],
    [["segment", "--max-pixels", "many"], /'--max-pixels <n>' argument 'many' is invalid/],
    [["train", "--out", "r"], /option '--dataset <kind>' not specified/],
    [["train", "--dataset", "chase"], /option '-o, --out <folder>' not specified/],
    [["train", "--dataset", "chase", "--out", "r"], /'--data <folder>' not specified/],
    [
      ["train", "--dataset", "rite", "--out", "r"],
      /'--dataset <kind>' argument 'rite' is invalid. Allowed choices/,
    ],
    [["train", "--dataset", "synthetic", "--out", "r", "--epochs", "-1"], /'--epochs <n>' argument '-1'/],
    [["train", "--dataset", "synthetic", "--out", "r", "--minutes", "0"], /'--minutes <m>' argument '0'/],
    [
      ["train", "--dataset", "synthetic", "--out", "r", "--crop", "20"],
      /'--crop <n>' argument '20' .* multiple of 8/,
    ],
    [
      ["train", "--dataset", "synthetic", "--out", "r", "--network", "vgg"],
      /'--network <name>' argument 'vgg'/,
    ],
    [["evaluate", "--dataset", "chase"], /required option '--data <folder>' not specified/],
    [["evaluate", "--dataset", "chase", "--data", ".", "--split", "dev"], /'--split <part>' argument 'dev'/],
    [["measure"], /missing required argument 'masks'/],
    [["inspect", "--size", "592"], /'--size <HxW>' argument '592' is invalid. It must be HEIGHTxWIDTH/],
    [["inspect", "--size", "590x592"], /multiples of 8/],
    [["inspect", "a.safetensors", "photo.jpg"], /too many arguments/],
    [["profile", "--runs", "0"], /'--runs <n>' argument '0' is invalid. It must be an integer of at least 1/],
    [["profile", "a.jpg", "b.jpg"], /too many arguments/],
  ])("refuses %j", expectUsage);

  it("tells an unexpected error in one line, and where it arose only when debugging", async () => {
    const broken = Object.assign(keeper().stream, {
      write() {
        throw new TypeError("no paper\nin the printer");
      },
    });
    const quiet = await saunet(here, ["inspect"], { stdout: broken });
    expect(quiet).toMatchObject({
      code: 1,
      err: "saunet: unexpected TypeError: no paper in the printer (SAUNET_DEBUG=1 shows where)\n",
    });
    const loud = await saunet(here, ["inspect"], { stdout: broken, debug: true });
    expect(loud.err).toContain("program.test.ts");
  });
});

describe("saunet inspect", () => {
  it("gives the paper's figures as JSON", async () => {
    const { code, out } = await saunet(here, ["inspect", "--json"]);
    const { model, parameters, flops, input } = JSON.parse(out);
    expect(code).toBe(0);
    expect({ model, parameters, input }).toEqual({
      model: "sa-unet-v2",
      parameters: 260521,
      input: [592, 592, 3],
    });
    expect((flops / 1e9).toFixed(2)).toBe("21.19");
  });

  it("tells what a run holds in memory, and what is alive at its peak", async () => {
    const argv = ["inspect", "--size", "64x64", "--memory", "--threads", "1"];
    const { memory } = JSON.parse((await saunet(here, [...argv, "--json"])).out);
    // A plan counts in whole lines of 64 bytes.
    const alive = (memory.alive as { bytes: number }[]).reduce(
      (total, { bytes }) => total + 64 * Math.ceil(bytes / 64),
      0,
    );
    expect(memory.parts.temporaries).toBeGreaterThanOrEqual(memory.lowerBound);
    expect(alive).toBe(memory.lowerBound);
    const { out, code, err } = await saunet(here, argv);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/memory of a run, in MB:\ntemporaries +[\d.]+\n/);
    expect(out).toMatch(/most temporaries alive at one time, at decoder1\..*: [\d.]+; planned: [\d.]+\n/);
  });

  it("prints a table whose columns stand under each other", async () => {
    const { code, out, err } = await saunet(here, ["inspect", "--network", "sa-unet", "--size", "64x96"]);
    expect([code, err]).toEqual([0, ""]);
    const lines = out.split("\n");
    expect(lines[0]).toMatch(/^layer +operator +output +parameters +FLOPs$/);
    expect(lines[1]).toMatch(/^encoder1.conv1 +conv2d +64x96x16 +448 +5,406,720$/);
    expect(lines[1].length).toBe(lines[0].length);
    expect(out).toContain("sa-unet on 64x96x3: 538,707 parameters");
  });
});

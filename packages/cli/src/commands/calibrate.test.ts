import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { syntheticFundus } from "@saunet/data";
import { readMask } from "@saunet/data/files";
import { loadSegmenter, readCalibration, withClasses, writeWeights } from "@saunet/model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Host } from "../output.ts";
import { saunet, tiny, write, writeFolder, writeFreshWeights } from "../testing.ts";

let here: string;
const run = (...argv: string[]) => saunet(here, argv);
const folder = ["--dataset", "folder", "--data", "set"];
const weights = ["--weights", "tiny.safetensors"];
const calibrate = (...argv: string[]) =>
  run("calibrate", ...folder, ...weights, "-o", "camera.json", ...argv);
const read = async (file: string) => readCalibration(await readFile(join(here, file), "utf8"));
const oddsOf = (p: number) => Math.log(p / (1 - p));

/** The weights that ship, more inclined to see vessels. */
async function writeShifted(file: string, shift: number): Promise<void> {
  const { config, parameters, metadata } = await loadSegmenter();
  parameters["head.bias"].data[0] += shift;
  await writeFile(join(here, file), writeWeights({ config, parameters, metadata }));
}

beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-calibrate-"));
  await writeFreshWeights(join(here, "tiny.safetensors"));
  await writeFolder(join(here, "set"), ["a", "b", "c", "d"]);
});
afterAll(() => rm(here, { recursive: true }));

describe("saunet calibrate", () => {
  it("writes the threshold whose F1 evaluate finds, and warns there that it was fitted to these images", async () => {
    const { code, out } = await calibrate();
    expect(code).toBe(0);
    expect(out).toMatch(/^threshold 0\.\d+ of 4 photographs: F1 0\.\d{4} at 0\.5, .* -> camera\.json\n$/);
    const { threshold, fitted, before, sources } = await read("camera.json");
    expect(sources).toHaveLength(4);
    const evaluated = await run("evaluate", ...folder, ...weights, "--calibration", "camera.json", "--json");
    const { macro, ...found } = JSON.parse(evaluated.out);
    expect(found.threshold).toBe(threshold);
    expect(macro.full.f1).toBeCloseTo(fitted, 12);
    expect(evaluated.err).toContain("warning: the threshold was fitted to a, b, c, d, so the figures");
    const plain = JSON.parse((await run("evaluate", ...folder, ...weights, "--json")).out);
    expect(plain.macro.full.f1).toBeCloseTo(before, 12);
  });

  it("looks at photographs in the scale that is asked for", async () => {
    await calibrate();
    const { fitted: plain } = await read("camera.json");
    await calibrate("--scale", "0.5");
    const { fitted, threshold } = await read("camera.json");
    expect(fitted).not.toBe(plain);
    const argv = [
      "evaluate",
      ...folder,
      ...weights,
      "--scale",
      "0.5",
      "--threshold",
      `${threshold}`,
      "--json",
    ];
    const { macro } = JSON.parse((await run(...argv)).out);
    expect(macro.full.f1).toBeCloseTo(fitted, 12);
  });

  it("recovers a known shift", async () => {
    // So small a photograph as the others means nothing to these weights.
    for (const [i, id] of ["x", "y", "z"].entries()) {
      const { image, vessels } = syntheticFundus({ seed: 1 + i, width: 160, height: 160 });
      await write(join(here, "larger", "images", `${id}.png`), image);
      await write(join(here, "larger", "masks", `${id}.png`), vessels);
    }
    const found = [];
    for (const shift of [6, 7]) {
      await writeShifted(`${shift}.safetensors`, shift);
      const larger = ["--dataset", "folder", "--data", "larger"];
      const argv = ["calibrate", ...larger, "--weights", `${shift}.safetensors`, "-o", "shifted.json"];
      expect((await run(...argv)).code).toBe(0);
      found.push(await read("shifted.json"));
    }
    const [one, other] = found;
    // Thresholds are tried in steps of 0.001, which are 0.02 of the odds here.
    expect(one.fitted - one.before).toBeGreaterThan(0.02);
    expect(Math.abs(oddsOf(other.threshold) - oddsOf(one.threshold) - 1)).toBeLessThan(0.15);
    expect(Math.abs(other.fitted - one.fitted)).toBeLessThan(0.01);
  });

  it("is taken by segment, whose mask is that of the threshold", async () => {
    await calibrate();
    const { threshold } = await read("camera.json");
    const photo = join("set", "images", "a.png");
    await run("segment", photo, ...weights, "--calibration", "camera.json", "-o", "calibrated");
    await run("segment", photo, ...weights, "--threshold", `${threshold}`, "-o", "plain");
    const [one, other] = await Promise.all(
      ["calibrated", "plain"].map((out) => readMask(join(here, out, "a-mask.png"))),
    );
    expect(one).toEqual(other);
  });

  it("makes the folder of the file, and counts a single photograph as one", async () => {
    const { code, out } = await calibrate("--limit", "1", "-o", "new/folder/camera.json");
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/^threshold 0\.\d+ of 1 photograph: .* -> new\/folder\/camera\.json\n$/),
    ]);
    expect((await read("new/folder/camera.json")).photographs).toBe(1);
  });

  it("takes some of the photographs, by the seed, and keeps no names", async () => {
    const chosen = async (seed: number) => {
      await calibrate("--limit", "2", "--seed", `${seed}`);
      return (await read("camera.json")).sources;
    };
    const [first, again, second, third] = [
      await chosen(1),
      await chosen(1),
      await chosen(2),
      await chosen(3),
    ];
    expect([first.length, again]).toEqual([2, first]);
    expect(new Set([first, second, third].map(String)).size).toBeGreaterThan(1);
    expect(await readFile(join(here, "camera.json"), "utf8")).not.toMatch(/\.png|set/);
  });

  it("fits to the observer that is asked for", async () => {
    await cp(join(here, "set"), join(here, "two"), { recursive: true });
    await cp(join(here, "two", "masks", "b.png"), join(here, "two", "masks2", "a.png"));
    const two = ["calibrate", "--dataset", "folder", "--data", "two", ...weights, "-o", "two.json"];
    const { code, err } = await run(...two, "--observer", "masks2");
    expect([code, err]).toEqual([1, expect.stringContaining("masks2/ has nothing for b, c, d of images/")]);
    for (const [id, other] of ["bc", "cd", "da"])
      await cp(join(here, "two", "masks", `${other}.png`), join(here, "two", "masks2", `${id}.png`));
    await run(...two, "--observer", "masks2");
    const evaluate = ["evaluate", "--dataset", "folder", "--data", "two", ...weights, "--json"];
    const { comparisons } = JSON.parse((await run(...evaluate, "--calibration", "two.json")).out);
    const [, second] = comparisons;
    expect(second.truth).toBe("masks2");
    expect(second.macro.full.f1).toBeCloseTo((await read("two.json")).fitted, 12);
    expect((await run(...two, "--observer", "who")).err).toContain(
      "a has no vessels of observer who; there are masks, masks2",
    );
  });

  it("says which picture does not look like a fundus photograph, as evaluate does", async () => {
    const { vessels } = syntheticFundus({ seed: 5, width: 64, height: 64 });
    await write(join(here, "odd", "images", "grey.png"), {
      ...{ width: 64, height: 64, channels: 3 },
      data: new Uint8Array(64 * 64 * 3).fill(90),
    });
    await write(join(here, "odd", "masks", "grey.png"), vessels);
    const odd = ["--dataset", "folder", "--data", "odd", ...weights];
    const doubt = "warning: grey: is of one brightness throughout. Is it a fundus photograph?";
    for (const argv of [
      ["calibrate", ...odd, "-o", "odd.json"],
      ["evaluate", ...odd],
    ]) {
      const { code, err } = await run(...argv);
      expect([code, err]).toEqual([0, expect.stringContaining(doubt)]);
    }
    expect((await calibrate()).err).not.toContain("fundus");
  });

  it("ends where it is asked to, says what was done and writes nothing", async () => {
    const onEndRequest: Host["onEndRequest"] = (listener) => {
      listener({ exitCode: 130, reason: "SIGINT", isSignal: true });
      return () => {};
    };
    const argv = ["calibrate", ...folder, ...weights, "-o", "ended.json"];
    expect(await saunet(here, argv, { onEndRequest })).toEqual({
      ...{ code: 130, out: "" },
      err: "saunet: SIGINT: looked at 0 of 4 photographs, nothing was written\n",
    });
    await expect(readFile(join(here, "ended.json"))).rejects.toThrow("ENOENT");
  });

  it.each([
    ["too few", ["--limit", "9"], 1, "set: has 4 labelled photographs, but --limit asks for 9"],
    ["a folder for the file", ["-o", "set"], 2, "option '--out <file>': set is a folder, not a file"],
    ["an output over an input", ["-o", "tiny.safetensors"], 2, "would be written over"],
  ])("refuses %s", async (_, argv, code, message) => {
    const ended = await calibrate(...argv);
    expect(ended.code).toBe(code);
    expect(ended.err).toContain(message);
  });

  it("refuses a calibration of other weights, beside a threshold, of what is none, and of classes", async () => {
    await calibrate();
    await writeShifted("other.safetensors", 0.1);
    await writeFreshWeights(join(here, "classes.safetensors"), withClasses(tiny, ["artery", "vein"]));
    await writeFile(join(here, "none.json"), "{}");
    const segment = (...argv: string[]) => run("segment", "set/images/a.png", "-o", "refused", ...argv);
    const cases = [
      [
        ["--weights", "other.safetensors", "--calibration", "camera.json"],
        1,
        "camera.json: was made for other weights",
      ],
      [[...weights, "--calibration", "camera.json", "--threshold", "0.4"], 2, "leave one out"],
      [[...weights, "--calibration", "none.json"], 1, "none.json: readCalibration: text must be"],
      [[...weights, "--calibration", "gone.json"], 1, "gone.json: "],
      [["--weights", "classes.safetensors", "--calibration", "camera.json"], 2, "tell classes apart"],
    ] as const;
    for (const [argv, code, message] of cases) {
      const ended = await segment(...argv);
      expect([ended.code, ended.err]).toEqual([code, expect.stringContaining(message)]);
    }
    const classes = await run("calibrate", ...folder, "--weights", "classes.safetensors", "-o", "c.json");
    expect([classes.code, classes.err]).toEqual([1, expect.stringContaining("classes.safetensors: ")]);
  });
});

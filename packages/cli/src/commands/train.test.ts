import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readWeights } from "@saunet/model";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Host } from "../output.ts";
import { keeper, saunet, smallFundus, tiny, writeFolder, writeFreshWeights } from "../testing.ts";

/** Tests of what is read, refused and told set it: to compile so small a network takes most of a run's time. */
const engine = vi.hoisted(() => ({ isPortable: false }));
vi.mock("@saunet/wasm", async (original) => {
  const { portableEngine } = await import("../testing-engine.ts");
  const generated = await original<typeof import("@saunet/wasm")>();
  const portable = await portableEngine(original);
  const chosen = () => (engine.isPortable ? portable : generated);
  return {
    ...generated,
    accelerate: (...of: Parameters<typeof generated.accelerate>) => chosen().accelerate(...of),
    restore: () => chosen().restore(),
  };
});
afterEach(() => {
  engine.isPortable = false;
});

const ids = ["a", "b", "c", "d"];
const ctrlC = { exitCode: 130, reason: "SIGINT", isSignal: true };
// One thread: to share out such small networks takes longer than to run them. Runs that are resumed take as many as there are.
const short = [
  ...["--crop", "16", "--batch", "2", "--epochs", "2", "--steps", "3"],
  ...["--no-report", "--threads", "1"],
];
let here: string;
const train = (out: string, ...argv: string[]) =>
  saunet(here, ["train", "-o", out, "--weights", "tiny.safetensors", ...short, ...argv]);
const folder = ["--dataset", "folder", "--data", "set"];
const read = (...names: string[]) => readFile(join(here, ...names));

async function log(run: string) {
  const lines = String(await read(run, "log.jsonl"))
    .trimEnd()
    .split("\n");
  return lines.map((line) => JSON.parse(line));
}

beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-train-"));
  await writeFreshWeights(join(here, "tiny.safetensors"));
  await writeFolder(join(here, "set"), ids);
});
afterAll(() => rm(here, { recursive: true }));

describe("saunet train", () => {
  it("leaves settings, a log and weights that segment a photograph", async () => {
    const { code, out, err } = await train("run", ...folder, "--report", "--json");
    expect([code, err]).toEqual([0, ""]);
    expect(JSON.parse(out)).toMatchObject({
      network: "tiny",
      ending: "finished",
      steps: 6,
      best: { f1: expect.any(Number) },
    });
    expect((await readdir(join(here, "run"))).sort()).toEqual([
      ".lock",
      "best.safetensors",
      "checkpoint.safetensors",
      "config.json",
      "evaluation.json",
      "last.safetensors",
      "log.jsonl",
      "report.html",
    ]);

    const config = JSON.parse(String(await read("run", "config.json")));
    expect(config).toMatchObject({
      recipe: "best",
      sets: [{ dataset: "folder", data: join(here, "set") }],
      epochs: 2,
      steps: 3,
      seed: 1,
      network: tiny,
    });
    expect(config.validation).toHaveLength(1);
    expect([...config.training, ...config.validation].sort()).toEqual(ids);

    const entries = await log("run");
    expect(entries.map(({ kind }) => kind)).toEqual([
      "step",
      "step",
      "step",
      "epoch",
      "step",
      "step",
      "step",
      "epoch",
    ]);
    expect(entries.filter(({ kind }) => kind === "step").map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(entries.every(({ loss }) => loss > 0 && loss < 5)).toBe(true);

    const start = readWeights(await read("tiny.safetensors"));
    const last = readWeights(await read("run", "last.safetensors"));
    expect(last.metadata).toMatchObject({ recipe: "best", scale: "auto", steps: "6" });
    for (const [name, { data }] of Object.entries(start.parameters)) {
      expect(last.parameters[name].data, name).not.toEqual(data);
    }
    const segmented = await saunet(here, [
      "segment",
      "set/images/a.png",
      "--weights",
      "run/best.safetensors",
    ]);
    expect(segmented.code).toBe(0);
  });

  it("keeps the weights with the highest F1 on the images kept back", async () => {
    const { out } = await train("best", ...folder, "--json", "--learning-rate", "0.05", "--epochs", "6");
    const { best } = JSON.parse(out);
    const validations = (await log("best")).filter(({ kind }) => kind === "epoch").map(({ f1 }) => f1);
    expect(validations).toHaveLength(6);
    expect(best.f1).toBe(Math.max(...validations));
    expect(best.epoch).toBe(1 + validations.indexOf(best.f1));
    const [id] = JSON.parse(String(await read("best", "config.json"))).validation;
    for (const kind of ["images", "masks"])
      await cp(join(here, "set", kind, `${id}.png`), join(here, "kept", kind, `${id}.png`));
    const evaluated = await saunet(here, [
      ...["evaluate", "--dataset", "folder", "--data", "kept", "--json"],
      ...["--weights", "best/best.safetensors"],
    ]);
    expect(JSON.parse(evaluated.out).macro.full.f1).toBe(best.f1);
  });

  it("does the same again from the same seed, and something else from another", async () => {
    await train("again1", ...folder);
    await train("again2", ...folder);
    await train("other", ...folder, "--seed", "2");
    const last = (run: string) => read(run, "last.safetensors");
    expect(await last("again2")).toEqual(await last("again1"));
    expect(await last("other")).not.toEqual(await last("again1"));
  });

  it("never opens a test image", async () => {
    engine.isPortable = true;
    for (let i = 0; i < 28; i++) {
      const id = `Image_${String(Math.floor(i / 2) + 1).padStart(2, "0")}${i % 2 === 0 ? "L" : "R"}`;
      const isTest = i >= 20;
      const { image, vessels } = smallFundus(i + 1);
      const raw = { width: 48, height: 48 } as const;
      const jpeg = await sharp(image.data, { raw: { ...raw, channels: 3 } })
        .jpeg()
        .toBuffer();
      const png = await sharp(
        vessels.data.map((v) => 255 * v),
        { raw: { ...raw, channels: 1 } },
      )
        .png()
        .toBuffer();
      await writeFile(join(here, `${id}.jpg`), isTest ? "damaged" : jpeg);
      await writeFile(join(here, `${id}_1stHO.png`), isTest ? "damaged" : png);
    }
    const { code, err } = await train("chase", "--dataset", "chase", "--data", ".");
    expect([code, err]).toEqual([0, ""]);
    const { training, validation } = JSON.parse(String(await read("chase", "config.json")));
    expect([training.length, validation.length]).toEqual([18, 2]);
    // Once asked to test, it says what is wrong with them; the training was none the worse for it.
    expect((await saunet(here, ["train", "--resume", "chase"])).err).toBe("");
    const resumed = await saunet(here, ["train", "--resume", "chase", "--report", "--json"]);
    expect(resumed.code).toBe(0);
    expect(resumed.err).toMatch(/^saunet: Image_11L: /);
    expect(resumed.err).toMatch(/\nsaunet: no report: .*\(saunet report chase tries again\)\n$/);
    // Asked to end during the report, it is whole, and its exit code says so.
    let works = 0;
    const onEndRequest: Host["onEndRequest"] = (listener) => {
      works++;
      // The first is the training, the second the report.
      if (works === 2) listener(ctrlC);
      return () => {};
    };
    const asked = await saunet(here, ["train", "--resume", "chase", "--report"], { onEndRequest });
    expect([asked.code, works]).toEqual([130, 2]);
    expect(asked.out).toMatch(/^finished after 6 steps/m);
    expect(asked.err).toMatch(/^saunet: no report: SIGINT: .*\(saunet report chase tries again\)\n$/);
  });

  it("learns from synthetic pictures without any data", async () => {
    engine.isPortable = true;
    const { code, out } = await train(
      "synthetic",
      "--dataset",
      "synthetic",
      "--picture-size",
      "48",
      "--validate-every",
      "2",
    );
    expect(code).toBe(0);
    expect(out).toMatch(
      /^epoch 1: loss \d\.\d{4}, after .*\nepoch 2: loss \d\.\d{4}, F1 \d\.\d{4} \(best so far\), after /,
    );
  });

  it("stops when the minutes are over, validated and saved", async () => {
    const { code, out } = await train(
      "minutes",
      ...folder,
      "--steps",
      "1000",
      "--minutes",
      "0.005",
      "--json",
    );
    const { ending, steps, best } = JSON.parse(out);
    expect([code, ending]).toEqual([0, "minutes"]);
    // In the middle of the first epoch.
    expect(steps).toBeLessThan(1000);
    expect(best.f1).toBeGreaterThanOrEqual(0);
    expect(readWeights(await read("minutes", "last.safetensors")).metadata.steps).toBe(String(steps));
  });

  it("saves and ends with 130 on Ctrl-C", async () => {
    let isListening = false;
    const onEndRequest: Host["onEndRequest"] = (listener) => {
      isListening = true;
      setTimeout(() => listener(ctrlC), 100);
      return () => {
        isListening = false;
      };
    };
    const { code, out } = await saunet(
      here,
      [
        "train",
        ...folder,
        "--weights",
        "tiny.safetensors",
        ...short,
        "--epochs",
        "1000",
        "-o",
        "stopped",
        "--json",
      ],
      { onEndRequest },
    );
    const { ending, steps } = JSON.parse(out);
    expect([code, ending, isListening]).toEqual([130, "interrupted", false]);
    expect(readWeights(await read("stopped", "last.safetensors")).metadata.steps).toBe(String(steps));
  });

  describe("--resume", () => {
    const entries = async (run: string) => (await log(run)).map(({ seconds: _, rss: __, ...rest }) => rest);

    it("resumes bit for bit after Ctrl-C at any step, and in the middle of a validation", async () => {
      const settings = [...folder, "--epochs", "3"];
      await train("whole", ...settings);
      for (const after of [1, 3, 4, 8]) {
        const run = `parts-${after}`;
        const steps = keeper({ isTTY: true });
        // Ctrl-C as soon as the progress bar says so; after 3 steps it is validating.
        const onEndRequest: Host["onEndRequest"] = (listener) => {
          const timer = setInterval(() => steps.text().includes(` ${after}/9 `) && listener(ctrlC), 1);
          return () => clearInterval(timer);
        };
        const { code } = await saunet(
          here,
          ["train", "-o", run, "--weights", "tiny.safetensors", ...short, ...settings],
          { onEndRequest, stderr: steps.stream },
        );
        expect(code).toBe(130);
        const resumed = await saunet(here, ["train", "--resume", run, "--json"]);
        expect([resumed.code, JSON.parse(resumed.out).ending]).toEqual([0, "finished"]);
        expect(await entries(run)).toEqual(await entries("whole"));
        for (const file of ["last.safetensors", "best.safetensors"]) {
          expect(await read(run, file)).toEqual(await read("whole", file));
        }
      }
    });

    it("says at once that a run is over", async () => {
      engine.isPortable = true;
      await train("over", ...folder);
      const before = await read("over", "log.jsonl");
      const { code, out } = await saunet(here, ["train", "--resume", "over", "--json"]);
      expect([code, JSON.parse(out)]).toMatchObject([0, { ending: "finished", steps: 6 }]);
      expect(await read("over", "log.jsonl")).toEqual(before);
    });

    it("takes nothing but a run whose photographs are still there", async () => {
      engine.isPortable = true;
      const { code, err } = await saunet(here, ["train", "--resume", "nowhere"]);
      expect([code, err]).toEqual([
        2,
        "saunet: option '--resume <folder>': nowhere holds no training run (nowhere/config.json is missing)\n",
      ]);
      await writeFolder(join(here, "other-set"), ids);
      await train("moved", "--dataset", "folder", "--data", "other-set");
      await writeFolder(join(here, "other-set"), [...ids, "e"]);
      expect((await saunet(here, ["train", "--resume", "moved"])).err).toBe(
        "saunet: moved: the photographs are not those that the run was started with\n",
      );
      await writeFile(join(here, "moved", "config.json"), "{");
      expect((await saunet(here, ["train", "--resume", "moved"])).err).toBe(
        "saunet: moved/config.json: is damaged: it is not JSON\n",
      );
    });
  });

  it("mixes data sets, keeping images of each back", async () => {
    engine.isPortable = true;
    await writeFolder(join(here, "second"), ["p", "q", "r"]);
    await train("mixed", ...folder, "--dataset", "folder", "--data", "second");
    const { training, validation } = JSON.parse(String(await read("mixed", "config.json")));
    expect([training.length, validation.length]).toEqual([5, 2]);
    expect(validation.filter((id: string) => ids.includes(id))).toHaveLength(1);
  });

  it("keeps nothing back where it is told to, and tells whether memory grew", async () => {
    const { out } = await train("all", ...folder, "--validation", "0", "--json", "--epochs", "4");
    const { best, memory } = JSON.parse(out);
    expect(best).toBeNull();
    expect(memory.bytes).toBeGreaterThan(2 ** 20);
    expect(Number.isFinite(memory.bytesPerStep)).toBe(true);
    const { training, validation } = JSON.parse(String(await read("all", "config.json")));
    expect([training.length, validation]).toEqual([4, []]);
    const epochs = (await log("all")).filter(({ kind }) => kind === "epoch");
    expect(epochs.map(({ f1 }) => f1)).toEqual([undefined, undefined, undefined, undefined]);
    // The last epoch counts as the best.
    expect(await read("all", "best.safetensors")).toEqual(await read("all", "last.safetensors"));
    expect(readWeights(await read("all", "last.safetensors")).metadata).toMatchObject({ steps: "12" });
    const told = await train("told-all", ...folder, "--validation", "0", "--epochs", "4");
    expect(told.out).toMatch(/12 steps, in \d+ MB of memory \([+-]\d+\.\d MB a thousand steps\) -> /);
  });

  it("trains by the paper's recipe: whole padded pictures, thirteen of one, the schedule by the validation's loss", async () => {
    const paper = [
      ...folder,
      "--recipe",
      "paper",
      "--epochs",
      "2",
      "--weights",
      "tiny.safetensors",
      "--no-report",
      "--json",
    ];
    const { code, err, out } = await saunet(here, ["train", "-o", "paper", ...paper]);
    expect([code, err]).toEqual([0, ""]);
    // Three pictures to train on make 39, in batches of 8.
    expect(JSON.parse(out)).toMatchObject({
      ending: "finished",
      steps: 10,
      best: { f1: expect.any(Number) },
    });
    const epochs = (await log("paper")).filter(({ kind }) => kind === "epoch");
    expect(epochs.map(({ accuracy }) => accuracy > 0.2 && accuracy < 1)).toEqual([true, true]);
    const { best } = JSON.parse(out);
    expect(best.score).toBe(Math.max(...epochs.map(({ accuracy }) => accuracy)));
    const { metadata } = readWeights(await read("paper", "best.safetensors"));
    expect(metadata).toMatchObject({ recipe: "paper", scale: "1" });
    for (const [argv, line] of [
      [["--crop", "16"], "option '--crop <n>' does not go with '--recipe paper', which shows pictures whole"],
      [
        ["--dataset", "synthetic"],
        "option '--dataset synthetic' stands alone: it reads no folder and does not mix",
      ],
      [
        ["--validation", "0"],
        "option '--recipe paper' follows the loss on images kept back: '--validation 0' leaves none",
      ],
    ] as const) {
      expect((await saunet(here, ["train", "-o", "none", ...paper, ...argv])).err).toBe(`saunet: ${line}\n`);
    }
  });

  it("does not write over a run", async () => {
    engine.isPortable = true;
    await train("kept-run", ...folder);
    const before = await read("kept-run", "last.safetensors");
    const { code, err } = await train("kept-run", ...folder, "--seed", "9");
    expect([code, err]).toEqual([
      2,
      "saunet: option '--out <folder>': kept-run holds a training run already; go on with it (--resume kept-run) or choose another folder\n",
    ]);
    expect(await read("kept-run", "last.safetensors")).toEqual(before);
  });

  it("tells on a terminal how far it is", async () => {
    engine.isPortable = true;
    const terminal = keeper({ isTTY: true });
    await saunet(here, ["train", ...folder, "--weights", "tiny.safetensors", ...short, "-o", "told"], {
      stderr: terminal.stream,
    });
    expect(terminal.text()).toMatch(
      /6\/6 {2}epoch 2\/2 {2}loss \d\.\d{4} {2}F1 \d\.\d{4} {2}\d+\.\d images\/s {2}0\.0 s left/,
    );
    expect(terminal.text()).toContain("reading d");
    expect(terminal.text()).toContain("validating on");
  });
});

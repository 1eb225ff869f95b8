import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withClasses } from "@saunet/model";
import { afterEach, beforeEach, expect, it } from "vitest";
import { keeper, tiny, writeFolder, writeFreshWeights } from "../testing.ts";
import { writeReport } from "./write-report.ts";

let here: string;
beforeEach(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-write-report-"));
  await mkdir(join(here, "run"));
  await writeFile(join(here, "run", "log.jsonl"), "");
});
afterEach(() => rm(here, { recursive: true }));
const host = () => ({ stdout: keeper().stream, stderr: keeper().stream, cwd: here });
const files = { report: join("run", "report.html"), evaluation: join("run", "evaluation.json") };
const read = (file: string) => readFile(join(here, file), "utf8");

it("a run on synthetic pictures has a report, also where its weights tell classes apart and no data set does", async () => {
  await writeFreshWeights(join(here, "run", "best.safetensors"), withClasses(tiny, ["artery", "vein"]));
  await writeFile(join(here, "run", "config.json"), JSON.stringify({ recipe: "best", sets: [] }));
  expect(await writeReport("run", {}, host())).toEqual({ files, failed: [] });
  expect(JSON.parse(await read(files.evaluation))).toEqual({ sets: [] });
  expect(await read(files.report)).toContain("None: the run names no data set.");
});

it.each([{ tta: true, threshold: 0.3 }, { tta: false }])(
  "data sets are tested as the options say: %j",
  async (options) => {
    await writeFreshWeights(join(here, "run", "last.safetensors"));
    await writeFolder(join(here, "set"), ["a"]);
    const sets = [{ dataset: "folder", data: "set" }] as const;
    await writeFile(join(here, "run", "config.json"), JSON.stringify({ recipe: "best", sets }));
    expect(await writeReport("run", { ...options, json: true }, host())).toEqual({ files, failed: [] });
    const [tested] = JSON.parse(await read(files.evaluation)).sets;
    expect([tested.tta, tested.threshold, tested.images.length]).toEqual([
      options.tta,
      options.threshold ?? 0.5,
      1,
    ]);
  },
);

import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withClasses } from "@saunet/model";
import { expect, it } from "vitest";
import { keeper, tiny, writeFreshWeights } from "../testing.ts";
import { writeReport } from "./write-report.ts";

it("a run on synthetic pictures has a report, also where its weights tell classes apart and no data set does", async () => {
  const here = await mkdtemp(join(tmpdir(), "saunet-write-report-"));
  const host = { stdout: keeper().stream, stderr: keeper().stream, cwd: here };
  try {
    await mkdir(join(here, "run"));
    await writeFreshWeights(join(here, "run", "best.safetensors"), withClasses(tiny, ["artery", "vein"]));
    await writeFile(join(here, "run", "config.json"), JSON.stringify({ recipe: "best", sets: [] }));
    await writeFile(join(here, "run", "log.jsonl"), "");
    const files = { report: join("run", "report.html"), evaluation: join("run", "evaluation.json") };
    expect(await writeReport("run", {}, host)).toEqual({ files, failed: [] });
    expect(JSON.parse(await readFile(join(here, files.evaluation), "utf8"))).toEqual({ sets: [] });
    expect(await readFile(join(here, files.report), "utf8")).toContain("None: the run names no data set.");
  } finally {
    await rm(here, { recursive: true });
  }
});

// docs/performance.md is what the result files say: it is written anew from them and compared with the page that is kept.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readResults } from "../comparison.ts";
import { DOCS } from "../paths.ts";
import { section } from "./markdown.ts";
import { resultFile } from "./report.ts";

const page = readFileSync(join(DOCS, "performance.md"), "utf8");
/** How many commits have changed the engine since then is left out: it grows with each of them. */
const withoutAge = (text: string) =>
  text
    .replace(/ The engine changed in \d+ commits between these figures and this page\./g, "")
    .replace(/ The commit is not in this repository\./g, "")
    .replace(/\n{3,}/g, "\n\n")
    .trim();

it.each(
  ["model", "sizes", "train", "layers", "matmul", "winograd", "lab"].filter((name) =>
    existsSync(resultFile(name)),
  ),
)("the page has of %s what its result file says, with its plots", async (name) => {
  const { markdown, plots } = await section(readResults(resultFile(name)), undefined);
  expect(withoutAge(page)).toContain(withoutAge(markdown));
  for (const [file, svg] of Object.entries(plots)) expect(readFileSync(join(DOCS, file), "utf8")).toBe(svg);
});

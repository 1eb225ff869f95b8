import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readResults } from "../comparison.ts";
import { BENCH } from "../paths.ts";
import { quoted } from "./quoted.ts";
import { resultFile } from "./report.ts";

const flowing = (text: string) => text.replace(/\s+/g, " ");
const readme = flowing(readFileSync(join(BENCH, "..", "README.md"), "utf8"));

const [model, train, current] = ["model", "train", "model-node-26"].map((name) =>
  readResults(resultFile(name)),
);

it.each(quoted(model, train, current))("README quotes the recorded results: %s", (line) => {
  expect(line).toMatch(/\d{2}/);
  expect(readme).toContain(flowing(line));
});

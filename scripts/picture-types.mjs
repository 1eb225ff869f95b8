// Writes the table of picture types into docs/data.md, from what the readers make of fixtures/picture-types:
//
//   npm run build && node scripts/picture-types.mjs
//
// picture-types.test.ts holds the readers to the right pixels, and the page to this table.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./workspace.mjs";

const FOLDER = join(root, "fixtures/picture-types");
const PAGE = join(root, "docs/data.md");
const BEGIN = "<!-- picture types, written by scripts/picture-types.mjs -->\n";
const END = "<!-- end of picture types -->\n";

/** The cases of fixtures/generate/picture_types.py: files, and what is right of each. */
export function pictureCases() {
  const { cases, pixels } = JSON.parse(readFileSync(join(FOLDER, "types.json"), "utf8"));
  return cases.map(({ pixels: name, ...rest }) => ({
    ...rest,
    path: join(FOLDER, rest.file),
    right: name && Uint8Array.from(Buffer.from(pixels[name], "base64")),
  }));
}

/** What became of a case, in the words of the table. */
async function outcomeOf({ kind, path, scaled }, { readPhotograph, readMask }) {
  try {
    await (kind === "mask" ? readMask(path) : readPhotograph(path));
    return scaled === "" ? "read" : `read: ${scaled}`;
  } catch (error) {
    return `refused: ${error.message.slice(path.length + 2)}`;
  }
}

const TITLES = { photograph: "Photographs", mask: "Masks" };

/** Two tables in Markdown, for photographs and for masks. */
export async function pictureTables(readers) {
  const tables = { photograph: [], mask: [] };
  for (const each of pictureCases()) {
    const { kind, how, sample, samples } = each;
    tables[kind].push(`| ${how} | ${sample} | ${samples} | ${await outcomeOf(each, readers)} |\n`);
  }
  return Object.entries(tables)
    .map(([kind, rows]) => {
      const what = kind === "mask" ? "levels" : "samples a pixel";
      return `\n**${TITLES[kind]}**\n\n| file | sample | ${what} | |\n|---|---|---|---|\n${rows.join("")}`;
    })
    .join("");
}

/** The page with other tables. */
export function pageWith(tables, page = readFileSync(PAGE, "utf8")) {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${PAGE} has no place for the table of picture types`);
  return page.slice(0, begin + BEGIN.length) + tables + page.slice(end);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  writeFileSync(PAGE, pageWith(await pictureTables(await import("@saunet/data/files"))));
}

// The index of the search: every part of every page of text, as a script, since a page that is opened from a folder may load
// scripts but no data.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";

const OPTIONS = { fields: ["part", "text"], storeFields: ["title", "part"] };

const plain = (html) =>
  html
    .replace(/<(svg|annotation|style)\b.*?<\/\1>/gs, " ")
    .replace(/<[^>]*>/g, " ")
    .replace(
      /&(amp|lt|gt|quot|#39);/g,
      (_, name) => ({ amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" })[name],
    )
    .replace(/\s+/g, " ")
    .trim();

/**
 * @param {string} out the folder of the site
 */
export function writeSearchIndex(MiniSearch, out) {
  const index = new MiniSearch(OPTIONS);
  const files = readdirSync(out, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".html"))
    .map((entry) => join(entry.parentPath, entry.name))
    // Pages of sources are found by their names in the text.
    .filter((file) => !/^(api|page)\b|\.\w+\.html$/.test(relative(out, file)));
  for (const file of files) {
    const main = /<main[^>]*>(.*)<\/main>/s.exec(readFileSync(file, "utf8"))[1];
    const parts = main.split(/(?=<h[123][^>]* id=")/);
    const title = plain(/<h1[^>]*>(.*?)<\/h1>/s.exec(main)?.[1] ?? "");
    const path = relative(out, file).split(sep).join("/");
    for (const part of parts) {
      const match = /^<h([123])[^>]* id="([^"]+)"[^>]*>(.*?)<\/h\1>/s.exec(part);
      if (match === null) continue;
      const [whole, , id, heading] = match;
      const text = plain(part.slice(whole.length));
      index.add({ id: `${path}#${id}`, title, part: plain(heading), text });
    }
  }
  writeFileSync(
    join(out, "assets/search-index.js"),
    `globalThis.SEARCH = ${JSON.stringify({ options: OPTIONS, index })};\n`,
  );
}

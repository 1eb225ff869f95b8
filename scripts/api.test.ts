// The public API of every package is what scripts/api/ says, and every name of it is documented.

import { existsSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { entryPoints, publicNames, snapshotFile, snapshotOf } from "./api.mjs";
import { build } from "./workspace.mjs";

// Once for all entries: a build takes half a second even where nothing has changed.
beforeAll(build);

describe.each(entryPoints())("$entry", ({ entry, declarations }) => {
  it("exports what its snapshot says; `npm run api` writes it anew where a change is meant", () => {
    const file = snapshotFile(entry);
    expect(snapshotOf(publicNames(declarations))).toBe(existsSync(file) ? readFileSync(file, "utf8") : "");
  });

  it("has a docstring for every name, and an example for every function and class", () => {
    const names = publicNames(declarations);
    expect(names.length).toBeGreaterThan(0);
    const missing = names.flatMap(({ name, kind, doc }) => {
      if (doc === "") return [`${name}: no docstring`];
      const wantsExample = kind === "function" || kind === "class";
      return wantsExample && !doc.includes("@example") ? [`${name}: no example`] : [];
    });
    expect(missing).toEqual([]);
  });
});

// The live parts of the book as one script without imports, which a page that is opened from a folder can load.

import { join } from "node:path";
import { build } from "vite";
import { root } from "../workspace.mjs";

/**
 * @param {string} folder where islands.js is put
 */
export async function buildIslands(folder) {
  await build({
    root: join(root, "packages/web"),
    configFile: false,
    logLevel: "warn",
    resolve: {
      conditions: ["@saunet/source", "module", "browser", "production"],
      // A page that is opened from a folder cannot fetch weights.
      alias: { "#host": join(root, "packages/web/src/book/host.ts") },
    },
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    build: {
      target: "es2022",
      outDir: folder,
      emptyOutDir: false,
      copyPublicDir: false,
      chunkSizeWarningLimit: 2000,
      lib: {
        entry: join(root, "packages/web/src/book/islands.tsx"),
        formats: ["iife"],
        name: "saunetIslands",
        fileName: () => "islands.js",
      },
    },
  });
}

import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { HEADERS, POLICY } from "./src/headers.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const SERVICE_WORKER = "service-worker";

/** Writes into the service worker which files the page has, and a number that changes with any of them. */
function listFiles(): Plugin {
  return {
    name: "list-files",
    enforce: "post",
    generateBundle(_options, bundle) {
      const worker = bundle[`${SERVICE_WORKER}.js`];
      if (worker?.type !== "chunk") return;
      const built = Object.values(bundle).filter(
        ({ fileName }) => !/\.map$|^service-worker|^index\.html$/.test(fileName),
      );
      const files = ["./", ...built.map(({ fileName }) => fileName), ...readdirSync(here("public"))];
      const hash = createHash("sha256");
      for (const part of Object.values(bundle)) hash.update(part.type === "chunk" ? part.code : part.source);
      worker.code = `const FILES = ${JSON.stringify(files)};\nconst VERSION = "${hash.digest("hex").slice(0, 16)}";\n${worker.code}`;
    },
  };
}

/** Writes the policy into the page, for hosts that do not send it. */
function writePolicy(): Plugin {
  return {
    name: "write-policy",
    transformIndexHtml: (html) => html.replace("%POLICY%", POLICY),
  };
}

// The engine is read from its sources, as everywhere in this checkout. Paths are relative, so that the folder works
// from wherever it is put.
export default defineConfig({
  base: "./",
  plugins: [listFiles(), writePolicy()],
  resolve: { conditions: ["@saunet/source", "module", "browser", "development|production"] },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    sourcemap: true,
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: { index: here("index.html"), [SERVICE_WORKER]: here("src/service-worker.ts") },
      output: {
        entryFileNames: ({ name }) => (name === SERVICE_WORKER ? "[name].js" : "assets/[name]-[hash].js"),
      },
    },
  },
  worker: { format: "es" },
  server: { headers: HEADERS },
  preview: { headers: HEADERS },
});

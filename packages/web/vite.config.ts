import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { readSafetensors, writeSafetensors } from "../core/src/safetensors.ts";
import { HEADERS, POLICY } from "./src/headers.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const SERVICE_WORKER = "service-worker";

/** dcmjs-codecs has evals, which nothing here calls (`src/pictures/dicom.ts`), and the page's policy would forbid. */
const CHECKS = { eval: false };

/** What reads DICOM: twice what all the rest takes, and of use to few. It is kept once it has been used. */
const DICOM = /^assets\/dcmjs/;

/** Writes into the service worker which files the page has, and a number that changes with any of them. */
function listFiles(): Plugin {
  return {
    name: "list-files",
    enforce: "post",
    generateBundle(_options, bundle) {
      const worker = bundle[`${SERVICE_WORKER}.js`];
      if (worker?.type !== "chunk") return;
      const built = Object.values(bundle).filter(
        ({ fileName }) => !DICOM.test(fileName) && !/\.map$|^service-worker|^index\.html$/.test(fileName),
      );
      const files = ["./", ...built.map(({ fileName }) => fileName), ...readdirSync(here("public"))];
      const hash = createHash("sha256");
      for (const part of Object.values(bundle)) hash.update(part.type === "chunk" ? part.code : part.source);
      worker.code = `const FILES = ${JSON.stringify(files)};\nconst VERSION = "${hash.digest("hex").slice(0, 16)}";\n${worker.code}`;
    },
  };
}

const sha256 = (content: Uint8Array | string): string => createHash("sha256").update(content).digest("hex");

/** Stores the weights in 16 bits, which halves most of what a first visit loads. */
function halveWeights(): Plugin {
  return {
    name: "halve-weights",
    generateBundle(_options, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type !== "asset" || !file.fileName.endsWith(".safetensors")) continue;
        const { tensors, metadata } = readSafetensors(file.source as Uint8Array);
        // What the command fits to the exact weights, the page knows by their hash.
        const stored = { stored: "16-bit floats", rounded_from: sha256(file.source) };
        file.source = writeSafetensors(tensors, { ...metadata, ...stored }, { half: true });
      }
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
  plugins: [halveWeights(), listFiles(), writePolicy()],
  resolve: {
    conditions: ["@saunet/source", "module", "browser", "development|production"],
    alias: {
      "#host": here("src/model-host.ts"),
      // Its codecs require it, and would get a second copy, as it is for CommonJS.
      dcmjs: here("node_modules/dcmjs/build/dcmjs.es.js"),
    },
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    sourcemap: true,
    assetsInlineLimit: 0,
    rolldownOptions: {
      checks: CHECKS,
      input: { index: here("index.html"), [SERVICE_WORKER]: here("src/service-worker.ts") },
      output: {
        entryFileNames: ({ name }) => (name === SERVICE_WORKER ? "[name].js" : "assets/[name]-[hash].js"),
      },
    },
  },
  worker: { format: "es", rolldownOptions: { checks: CHECKS } },
  server: { headers: HEADERS },
  preview: { headers: HEADERS },
});

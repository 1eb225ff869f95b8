// `node scripts/bundlers.mjs`: a program that segments a picture is bundled by every bundler over packed tarballs, run by
// every host, and its number compared. Writes docs/bundlers.md. By hand, since bundlers and hosts take 500 MB.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { bundleWithEsbuild, isSame, load, resultOf, useSource } from "./bundles.mjs";
import { launchChromium } from "./chromium.mjs";
import { installTarballs, pack, tools } from "./packed.mjs";
import { root, run } from "./workspace.mjs";

/** What engine, model and weights may weigh over the wire, compressed by gzip: docs/bundlers.md promises it. */
const WIRE_BYTES = 650_000;

const bin = tools("bundle");
// The packages `bun`, `deno` and `node` fetch or link their binaries when they are installed.
const binary = (name) => join(bin, "node_modules/.bin", name);
const folder = mkdtempSync(join(tmpdir(), "saunet-bundlers-"));
mkdirSync(join(folder, "tarballs"));
const tarballs = pack(join(folder, "tarballs"));
if (tarballs === undefined || !installTarballs(folder, tarballs)) process.exit(1);
writeFileSync(join(folder, "segment.js"), useSource);
writeFileSync(
  join(folder, "index.html"),
  '<!doctype html><title></title><link rel="icon" href="data:,"><script type="module" src="./segment.js"></script>',
);
const entry = join(folder, "segment.js");
const out = (name) => join(folder, name);

/** Bundles for browsers; each answers the folder that a server gives out. */
const forBrowsers = {
  esbuild: () => bundleWithEsbuild(bin, folder, { platform: "browser", format: "esm" }),
  "Bun build": async () => {
    const args = ["build", entry, "--target=browser", "--minify", "--splitting", `--outdir=${out("bun")}`];
    if (run(binary("bun"), args, { quiet: true }) !== 0) throw new Error("bun build failed");
    return out("bun");
  },
  webpack: async () => {
    const { default: webpack } = await load(bin, "webpack");
    const stats = await new Promise((resolve, reject) =>
      webpack(
        {
          mode: "production",
          context: folder,
          entry,
          output: { path: out("webpack"), filename: "segment.js" },
        },
        (error, result) => (error ? reject(error) : resolve(result)),
      ),
    );
    if (stats.hasErrors()) throw new Error(stats.toString("errors-only"));
    return out("webpack");
  },
  Rollup: async () => {
    const { rollup } = await load(bin, "rollup");
    const { nodeResolve } = await load(bin, "@rollup/plugin-node-resolve");
    const { transform } = await load(bin, "esbuild");
    const minify = { name: "minify", renderChunk: (code) => transform(code, { minify: true }) };
    const bundle = await rollup({ input: entry, plugins: [nodeResolve({ browser: true }), minify] });
    await bundle.write({ dir: out("rollup"), format: "esm" });
    return out("rollup");
  },
  Vite: async () => {
    const { build } = await load(bin, "vite");
    const rolldownOptions = { output: { entryFileNames: "segment.js" } };
    await build({ root: folder, logLevel: "error", build: { outDir: out("vite"), rolldownOptions } });
    return out("vite");
  },
};

/** Bundles for Node, by the file to run. */
const forNode = {
  "esbuild, ESM": async () =>
    join(await bundleWithEsbuild(bin, folder, { platform: "node", format: "esm" }), "segment.js"),
  "esbuild, CommonJS": async () =>
    join(await bundleWithEsbuild(bin, folder, { platform: "node", format: "cjs" }), "segment.cjs"),
};

/** Hosts that run the program unbundled, from node_modules. */
const hosts = {
  [`Node ${process.versions.node}`]: [process.execPath, [entry]],
  Node: [binary("node"), [entry]],
  Bun: [binary("bun"), [entry]],
  Deno: [binary("deno"), ["run", "-A", entry]],
};

const TYPES = { ".js": "text/javascript", ".html": "text/html" };

/** Serves a folder with the headers that threads need; gives the page's title once it has one, and what was loaded. */
async function inBrowser(browser, served) {
  const loaded = [];
  const server = createServer((request, response) => {
    const name = request.url === "/" ? "index.html" : request.url.slice(1);
    const path = name === "index.html" ? join(folder, name) : join(served, name);
    try {
      const body = readFileSync(path);
      if (extname(path) === ".js") loaded.push(body);
      response.writeHead(200, {
        "content-type": TYPES[extname(path)] ?? "application/octet-stream",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
      });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const page = await browser.newPage();
  try {
    const errors = [];
    page.on("pageerror", (error) => errors.push(error.message));
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    await page.waitForFunction("document.title !== ''", undefined, { timeout: 120_000 }).catch((error) => {
      throw new Error([...errors, error.message].join("; "));
    });
    return { result: JSON.parse(await page.title()), loaded };
  } finally {
    await page.close();
    server.close();
  }
}

const bytesOf = (files, compress) => files.reduce((sum, file) => sum + compress(file).length, 0);
const megabytes = (bytes) => (bytes / 1e6).toFixed(3);
const versionOf = (name) => {
  const manifest = join(bin, "node_modules", name, "package.json");
  return JSON.parse(readFileSync(manifest, "utf8")).version;
};

const rows = [];
let failures = 0;
async function attempt(name, execute) {
  try {
    const { result, sizes = "" } = await execute();
    const ok = result !== undefined && isSame(result);
    if (!ok) failures++;
    rows.push(`| ${name} | ${ok ? "yes" : "NO"} | ${result?.threads ?? ""} | ${sizes} |`);
  } catch (error) {
    failures++;
    rows.push(`| ${name} | NO: ${error.message.split("\n")[0]} | | |`);
  }
  console.log(rows.at(-1));
}

const browser = await launchChromium();
for (const [name, bundle] of Object.entries(forBrowsers)) {
  const version = versionOf(name.split(" ")[0].toLowerCase());
  await attempt(`${name} ${version}, in Chromium`, async () => {
    const served = await bundle();
    // Nobody asked for the exact file, which is larger than all that is loaded.
    const exact = readdirSync(served, { recursive: true }).filter((file) => file.endsWith(".safetensors"));
    if (exact.length > 0) throw new Error(`the bundle has ${exact.join(", ")}`);
    const { result, loaded } = await inBrowser(browser, served);
    const [gzip, brotli] = [gzipSync, brotliCompressSync].map((compress) => bytesOf(loaded, compress));
    if (gzip > WIRE_BYTES) throw new Error(`${gzip} bytes by gzip; the limit is ${WIRE_BYTES}`);
    return { result, sizes: `${megabytes(gzip)} / ${megabytes(brotli)}` };
  });
}
await browser.close();
for (const [name, bundle] of Object.entries(forNode)) {
  await attempt(`${name}, in Node ${process.versions.node}`, async () => ({
    result: resultOf(folder, process.execPath, [await bundle()]),
  }));
}
for (const [name, [program, args]] of Object.entries(hosts)) {
  const version = /\d/.test(name) ? "" : ` ${versionOf(name.toLowerCase())}`;
  await attempt(`no bundler: ${name}${version}`, async () => ({ result: resultOf(folder, program, args) }));
}

const page = join(root, "docs/bundlers.md");
const marked = /(<!-- table -->\n)[\s\S]*(<!-- end -->)/;
const table = `| bundler and host | same number | threads | MB over the wire, gzip / brotli |\n|---|---|---|---|\n${rows.join("\n")}\n`;
if (failures === 0) writeFileSync(page, readFileSync(page, "utf8").replace(marked, `$1${table}$2`));
rmSync(folder, { recursive: true, force: true });
console.log(
  failures === 0 ? "docs/bundlers.md has the table" : `${failures} failed; docs/bundlers.md is as it was`,
);
process.exit(failures === 0 ? 0 : 1);

// @saunet/wasm in a real browser: bundled by Vite as it comes, served with and without the headers that let a page
// share memory between threads, on the main thread and in a worker.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { largestDifference } from "../../../fixtures/networks.ts";
import { launchChromium } from "../../../scripts/chromium.mjs";
import { type Outcome, work } from "../browser/work.ts";

const THREADS = 2;
const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};
const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript" };

/** Serves a folder; below `/isolated/` with the headers of isolation. */
function serve(folder: string): Promise<Server> {
  const server = createServer(async ({ url = "/" }, response) => {
    const [, realm, path] = /^\/(isolated|plain)\/(.*)$/.exec(url) ?? [];
    const name = path || "index.html";
    try {
      const bytes = await readFile(join(folder, name));
      const type = TYPES[extname(name)] ?? "application/octet-stream";
      response.writeHead(200, { "Content-Type": type, ...(realm === "isolated" && ISOLATION) }).end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

describe("in Chromium", () => {
  let folder: string;
  let server: Server;
  let browser: Browser;
  let here: Outcome;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "saunet-browser-"));
    const root = fileURLToPath(new URL("../browser", import.meta.url));
    // The relative base lets one build be served under two paths; everything else is Vite's own choice.
    await build({ root, base: "./", configFile: false, logLevel: "error", build: { outDir: folder } });
    server = await serve(folder);
    browser = await launchChromium();
    here = await work(THREADS);
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const realms = ["isolated", "plain"] as const;
  const places = ["main thread", "worker", "worker with threads of the page"] as const;
  describe.each(realms)("on a page that is %s", (realm) => {
    it.each(places)("computes what Node computes, on its %s", async (place) => {
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("console", (message) => complaints.push(message.text()));
      const { port } = server.address() as AddressInfo;
      await page.goto(`http://127.0.0.1:${port}/${realm}/`);
      const there = await page.evaluate(
        ([where, threads]) =>
          (globalThis as unknown as { run(where: string, threads: number): Promise<Outcome> }).run(
            where,
            threads,
          ),
        [place, THREADS] as const,
      );
      await page.close();

      expect(complaints).toEqual([]);
      const { threads, reasons, kernels, missing } = there.report;
      expect(kernels).toEqual(here.report.kernels);
      // A bundler leaves out kernels that nobody uses.
      expect(here.report.missing).toEqual(expect.arrayContaining([...missing]));
      expect(threads).toBe(realm === "isolated" ? THREADS : 1);
      if (realm === "isolated") expect(reasons).toEqual([]);
      else expect(reasons).toEqual([expect.stringMatching(/^one thread: .*not cross-origin isolated/)]);

      expect(here.captured.length).toBeGreaterThan(0);
      expect(largestDifference(there.captured, here.captured)).toBeLessThan(2e-5);
      expect(largestDifference(there.eager, here.eager)).toBeLessThan(2e-5);
      expect(largestDifference(there.losses, here.losses)).toBeLessThan(1e-4);
      for (const { storm } of [there, here]) expect(storm).toEqual({ right: 50, wrong: [] });
    });
  });
});

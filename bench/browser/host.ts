// A browser that measures, as the command sees it: the benches' own code in a page that is served from memory, with the
// headers that threads and exact clocks want.

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { arch, cpus, platform, release, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { commitOf } from "../machine.ts";
import { BENCH } from "../paths.ts";
import type { MachineRecord } from "../schema.ts";
import type { BenchName } from "../session.ts";
import { HangError, type Measurer, type Opened } from "../session-process.ts";
import type { Settings } from "../settings.ts";
import { chosenShapes } from "../shape-files.ts";
import { oneOf, UsageError } from "../usage.ts";
import type { BenchPage } from "./page.ts";
import type { PageAnswer, PageBench, PageRequest } from "./protocol.ts";

const BROWSERS = ["chromium", "firefox"];
const USUAL_LISTS: Readonly<Record<PageBench, string>> = { kernels: "sa-unet-v2-592", lab: "laboratory" };
const POLL_MS = 500;

/** Opens pages in a browser. */
export interface BrowserHost {
  readonly open: () => Promise<Measurer>;
  readonly close: () => Promise<void>;
}

/** Starts a browser and the server of the page. */
export async function browserHost(name: string, settings: Settings): Promise<BrowserHost> {
  oneOf("browser", name, BROWSERS);
  const refused = (["peers", "algorithms", "counters", "attempt"] as const).filter((option) => {
    const value = settings[option];
    return Array.isArray(value) ? value.length > 0 : value === true;
  });
  if (refused.length > 0) throw new UsageError(`--${refused[0]}: does not go with --browser`);
  const server = await serve(await bundled());
  const browser = await launch(name);
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    open: async () => {
      const page = await browser.newPage();
      await page.goto(address);
      return new PageMeasurer(page, nameOf(name, browser), settings.timeout);
    },
    close: async () => {
      await browser.close();
      server.close();
    },
  };
}

const nameOf = (name: string, browser: Browser): string =>
  `${name[0].toUpperCase()}${name.slice(1)} ${browser.version()}`;

/** The page's scripts by their names. */
async function bundled(): Promise<ReadonlyMap<string, string>> {
  const { rolldown } = await import("rolldown");
  const here = dirname(fileURLToPath(import.meta.url));
  const extension = fileURLToPath(import.meta.url).endsWith(".ts") ? "ts" : "js";
  const files = new Map<string, string>();
  for (const name of ["page", "worker"]) {
    const bundle = await rolldown({
      input: join(here, `${name}.${extension}`),
      platform: "browser",
      external: [/^node:/],
      logLevel: "silent",
    });
    const { output } = await bundle.generate({ format: "esm", codeSplitting: false });
    files.set(`/${name}.js`, output[0].code);
    await bundle.close();
  }
  return files;
}

function serve(files: ReadonlyMap<string, string>): Promise<Server> {
  const server = createServer(({ url = "/" }, response) => {
    const script = files.get(url);
    const found =
      script ??
      (url === "/"
        ? '<!doctype html><title>bench</title><script type="module" src="page.js"></script>'
        : undefined);
    response.writeHead(found === undefined ? 404 : 200, {
      "Content-Type": script === undefined ? "text/html; charset=utf-8" : "text/javascript; charset=utf-8",
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Embedder-Policy": "require-corp",
    });
    response.end(found ?? "");
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

/** The project's own ways to find browsers, or to install them where Debian has them. */
async function launch(name: string): Promise<Browser> {
  const script = (file: string) => import(pathToFileURL(join(BENCH, "..", "scripts", file)).href);
  try {
    if (name === "chromium") return await (await script("chromium.mjs")).launchChromium();
    // Clocks are coarse against attacks by timing; this page has nothing to protect.
    return await (await script("firefox.mjs")).launchFirefox({ "privacy.reduceTimerPrecision": false });
  } catch (error) {
    throw new UsageError(`--browser ${name}: ${(error as Error).message.split("\n")[0]}`);
  }
}

class PageMeasurer implements Measurer {
  readonly #page: Page;
  readonly #name: string;
  readonly #seconds: number;

  constructor(page: Page, name: string, seconds: number) {
    this.#page = page;
    this.#name = name;
    this.#seconds = seconds;
  }

  async open(bench: BenchName, settings: Settings): Promise<Opened> {
    const usual = USUAL_LISTS[bench as PageBench];
    const specs = chosenShapes(settings, usual);
    const { units, peak, bandwidth, cores } = await this.#ask("opened", {
      ...{ kind: "open", bench: bench as PageBench },
      ...{ specs, settings },
    });
    const rounded = (value: number) => Math.round(value * 10) / 10;
    const machine: MachineRecord = {
      date: new Date().toISOString(),
      cpu: cpus()[0]?.model.trim() ?? "unknown",
      cores,
      memory_gb: rounded(totalmem() / 2 ** 30),
      os: `${platform()} ${release()} ${arch()}`,
      node: this.#name,
      v8: "",
      flags: "",
      peak_gflops: {
        typescript: rounded(peak.typescript),
        simd: rounded(peak.simd),
        relaxedSimd: peak.relaxedSimd === null ? null : rounded(peak.relaxedSimd),
      },
      bandwidth_gbs: bandwidth,
      commit: commitOf(),
    };
    return { units, machine };
  }

  async measure(unit: number, without: readonly string[]) {
    return this.#ask("measured", { kind: "measure", unit, without });
  }

  stop(): void {
    // A page that is closed has stopped.
    this.#page.evaluate(() => (globalThis as unknown as { bench: BenchPage }).bench.stop()).catch(() => {});
  }

  end(): void {
    this.#page.close().catch(() => {});
  }

  /** Asks the page, and gives up when its worker has said nothing for too long. */
  async #ask<K extends PageAnswer["kind"]>(
    kind: K,
    request: PageRequest,
  ): Promise<Extract<PageAnswer, { kind: K }>> {
    let timer: NodeJS.Timeout | undefined;
    const hung = new Promise<never>((_, reject) => {
      timer = setInterval(async () => {
        const sign = await this.#page
          .evaluate(() => (globalThis as unknown as { bench: BenchPage }).bench.sign())
          .catch(() => undefined);
        if (sign !== undefined && sign.ago > this.#seconds * 1000)
          reject(new HangError(sign.doing, this.#seconds));
      }, POLL_MS);
    });
    try {
      const asked = this.#page.evaluate(
        (what) => (globalThis as unknown as { bench: BenchPage }).bench.ask(what),
        request,
      );
      const answer: PageAnswer = await Promise.race([asked, hung]);
      if (answer.kind !== kind)
        throw new Error(answer.kind === "failed" ? answer.reason : `answered ${answer.kind}`);
      return answer as Extract<PageAnswer, { kind: K }>;
    } finally {
      clearInterval(timer);
    }
  }
}

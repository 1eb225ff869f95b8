// For the tests in a browser: the page, built as it ships and served from a deep path of a plain static server, with
// and without the headers that isolate it.

import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import type { Browser, CDPSession, Page } from "playwright-core";
import { afterEach, inject } from "vitest";
import { HEADERS } from "./headers.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".webmanifest": "application/manifest+json",
};

/** A built page at two addresses. */
export interface Site {
  readonly folder: string;
  /** With and without the headers. */
  readonly isolated: string;
  readonly plain: string;
  /** Stops answering; the address stays taken. */
  stop(): void;
  close(): Promise<void>;
}

/** Serves a copy of the built page, which a test may change. */
export async function openSite(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), "saunet-web-"));
  await cp(inject("builtPage"), folder, { recursive: true });
  let answers = true;
  const server = createServer(async ({ url = "/", socket }, response) => {
    if (!answers) return void socket.destroy();
    const [, realm, path] = /^\/(isolated|plain)\/deep\/([^?]*)/.exec(url) ?? [];
    const name = path || "index.html";
    try {
      const bytes = await readFile(join(folder, name));
      const type = TYPES[extname(name)] ?? "application/octet-stream";
      response.writeHead(200, { "Content-Type": type, ...(realm === "isolated" && HEADERS) }).end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const address = (realm: string) => `http://127.0.0.1:${port}/${realm}/deep/`;
  return {
    folder,
    isolated: address("isolated"),
    plain: address("plain"),
    stop() {
      answers = false;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * One page for all tests of a group that leave it as they found it: it is opened for the first of them, and anew after one
 * that failed. Opening a page takes longer than most tests: its engine starts, and its example is segmented.
 */
export function sharedPage(open: () => Promise<Page>): () => Promise<Page> {
  let page: Promise<Page> | undefined;
  afterEach(async ({ task }) => {
    if (task.result?.state !== "fail") return;
    await (await page?.catch(() => undefined))?.close();
    page = undefined;
  });
  return () => {
    page ??= open();
    return page;
  };
}

/** Waits until a photograph is segmented. */
export const done = (page: Page, name: string): Promise<void> =>
  page.getByRole("button", { name: `${name}, segmented` }).waitFor({ timeout: 120_000 });

/** Shows a photograph that is segmented. */
export const select = (page: Page, name: string): Promise<void> =>
  page.getByRole("button", { name: `${name}, segmented` }).click();

/** The page at a usual size, its synthetic photograph segmented. */
export async function openedPage(browser: Browser, site: Site, complaints: string[]): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  complaintsOf(page, complaints);
  await page.goto(site.isolated);
  await done(page, "synthetic.png");
  return page;
}

/** Takes out all photographs and masks but the synthetic example. */
export async function removeOthers(page: Page): Promise<void> {
  const strip = page.getByLabel("Strip");
  // A table has no buttons for it.
  if ((await strip.count()) > 0) await strip.check();
  const others = page.getByRole("button", { name: /^Remove (?!synthetic\.png$)/ });
  for (let left = await others.count(); left > 0; left = await others.count()) await others.first().click();
}

/** The address of a file of the site whose name begins so, relative to the page. */
export async function assetOf({ folder }: Site, start: string): Promise<string> {
  const names = await readdir(join(folder, "assets"));
  const name = names.find((each) => each.startsWith(start));
  if (name === undefined) throw new Error(`the page has no ${start}`);
  return `./assets/${name}`;
}

/** The weights that the page ships: those of the package, in 16 bits. */
export const weightsPath = async (site: Site): Promise<string> =>
  join(site.folder, await assetOf(site, "sa-unet-v2"));

/** What went wrong on a page while it was open, added to what went wrong before. */
export function complaintsOf(page: Page, complaints: string[] = []): string[] {
  page.on("pageerror", ({ message }) => complaints.push(message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  return complaints;
}

/** Calls a function of one of the page's workers as the page does, in a worker of its own. */
export async function askWorker<T>(
  page: Page,
  script: string,
  calls: readonly { readonly name: string; readonly bytes?: readonly number[] }[],
): Promise<T> {
  // Comlink's messages: a path to call with arguments, answered under the same number.
  return page.evaluate(
    async ([url, list]) => {
      const worker = new Worker(new URL(url, document.baseURI), { type: "module" });
      let last: unknown;
      for (const [id, { name, bytes }] of list.entries()) {
        const argumentList = bytes ? [{ type: "RAW", value: new Blob([new Uint8Array(bytes)]) }] : [];
        const answer = new Promise<{ type: string; value: unknown }>((resolve) => {
          worker.onmessage = ({ data }) => resolve(data);
        });
        worker.postMessage({ id: `call-${id}`, type: "APPLY", path: [name], argumentList });
        const { type, value } = await answer;
        if (type !== "RAW") throw new Error(JSON.stringify(value));
        last = value;
      }
      worker.terminate();
      // Blobs of the page's own; the evaluation's answer can only be plain.
      const entries = Object.entries(last as object).map(async ([key, value]) => [
        key,
        value instanceof Blob ? [...new Uint8Array(await value.arrayBuffer())] : value,
      ]);
      return Object.fromEntries(await Promise.all(entries));
    },
    [script, calls] as const,
  ) as Promise<T>;
}

/**
 * Bytes that the page and its workers hold after a collection of garbage: objects, buffers, memories of WebAssembly. It asks
 * each of them through the debugger: `performance.measureUserAgentSpecificMemory` waits 60 seconds for the engine's
 * threads, which sleep between runs and answer nothing.
 */
export async function bytesOf(page: Page): Promise<number> {
  return Object.values(await bytesByThread(page)).reduce((sum, bytes) => sum + bytes, 0);
}

/** The same, for the page's own thread and each of its workers, by the names of their scripts. */
export async function bytesByThread(page: Page): Promise<Record<string, number>> {
  const session = await page.context().newCDPSession(page);
  const answers = new Map<number, (answer: { result: unknown }) => void>();
  const workers: { readonly sessionId: string; readonly name: string }[] = [];
  session.on("Target.attachedToTarget", ({ sessionId, targetInfo }) => {
    // A service worker comes and goes as it likes; threads of an engine sleep and answer nothing, and their memory is shared.
    const name = /[^/]+\.worker/.exec(targetInfo.url)?.[0];
    if (targetInfo.type === "worker" && name !== undefined) workers.push({ sessionId, name });
  });
  session.on("Target.receivedMessageFromTarget", ({ message }) => {
    const answer = JSON.parse(message);
    answers.get(answer.id)?.(answer);
  });
  await session.send("Target.setAutoAttach", {
    autoAttach: true,
    waitForDebuggerOnStart: false,
    flatten: false,
  });
  const askWorkerOf =
    (sessionId: string): Ask =>
    async (method, params) => {
      const id = answers.size;
      const answer = new Promise<{ result: unknown }>((resolve) => answers.set(id, resolve));
      await session.send("Target.sendMessageToTarget", {
        sessionId,
        message: JSON.stringify({ id, method, params }),
      });
      return (await answer).result as never;
    };
  const bytes: Record<string, number> = {
    page: await bytesOfThread((method, params) => session.send(method, params)),
  };
  for (const { sessionId, name } of workers)
    bytes[name] = (bytes[name] ?? 0) + (await bytesOfThread(askWorkerOf(sessionId)));
  await session.detach();
  return bytes;
}

/** A question to the debugger of one thread. */
type Ask = CDPSession["send"];

async function bytesOfThread(ask: Ask): Promise<number> {
  await ask("HeapProfiler.collectGarbage");
  const { usedSize, backingStorageSize } = await ask("Runtime.getHeapUsage");
  // Memory that is shared between threads is no part of any heap.
  const { result: prototype } = await ask("Runtime.evaluate", { expression: "WebAssembly.Memory.prototype" });
  const { objects } = await ask("Runtime.queryObjects", { prototypeObjectId: prototype.objectId! });
  const { result: shared } = await ask("Runtime.callFunctionOn", {
    objectId: objects.objectId!,
    functionDeclaration: `function () {
      return this.map(({ buffer }) => buffer instanceof SharedArrayBuffer ? buffer.byteLength : 0)
        .reduce((sum, bytes) => sum + bytes, 0);
    }`,
    returnByValue: true,
  });
  return usedSize + backingStorageSize + shared.value;
}

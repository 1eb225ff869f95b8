// Makes the page work offline, isolated and held to its policy on hosts that do not send the headers for it: everything
// is kept at the first visit, but what reads DICOM with the first one, and every answer, those with the workers' scripts too,
// gets the headers.

import { HEADERS } from "./headers.ts";

/** Names of the files that are kept at the first visit; the build writes them here. */
declare const FILES: readonly string[];
/** Another one for every build. */
declare const VERSION: string;

/** What the page says to a new version that waits: the person wants it now. */
export type Wish = "take over";

interface LastingEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface FetchEvent extends LastingEvent {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

/** The parts of its global scope that it uses; TypeScript has them only in place of a page's. */
interface Scope {
  readonly registration: { readonly active: unknown; readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: LastingEvent) => void): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  addEventListener(type: "fetch", listener: (event: FetchEvent) => void): void;
}

const scope = self as unknown as Scope;
/** Other pages of the same host may keep things too. */
const OURS = `saunet ${scope.registration.scope} `;
const CACHE = OURS + VERSION;

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  // Names in assets/ change with what is in them, so what the browser has of them already is right.
  const fresh = (file: string): RequestCache => (file.startsWith("assets/") ? "default" : "no-cache");
  await cache.addAll(FILES.map((file) => new Request(file, { cache: fresh(file) })));
  // A page that is open goes on with the version that it began with; the first version has none to wait for.
  if (scope.registration.active === null) await scope.skipWaiting();
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(OURS) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await scope.clients.claim();
}

/** The page itself comes from its host where that answers, so that a new version is seen at once; its parts are kept. */
async function answer(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  if (request.mode === "navigate") {
    const fresh = await fetch(request).catch(() => undefined);
    return guarded((fresh?.ok ? fresh : await cache.match("./")) ?? fresh ?? Response.error());
  }
  const known = await cache.match(request, { ignoreSearch: true });
  if (known !== undefined) return guarded(known);
  const fresh = await fetch(request);
  // Where there is no room to keep it, it is fetched again.
  if (fresh.ok && request.url.startsWith(`${scope.registration.scope}assets/`))
    await cache.put(request, fresh.clone()).catch(() => {});
  return guarded(fresh);
}

/** The same answer with the page's headers. */
function guarded(response: Response): Response {
  if (response.type === "opaque" || response.status === 0) return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

scope.addEventListener("install", (event) => event.waitUntil(install()));
scope.addEventListener("activate", (event) => event.waitUntil(activate()));
scope.addEventListener("message", ({ data }: MessageEvent<Wish>) => {
  if (data === "take over") void scope.skipWaiting();
});
scope.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "GET" && request.url.startsWith(scope.registration.scope)) {
    event.respondWith(answer(request));
  }
});

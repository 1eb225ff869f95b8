// What the page asks of its host before it starts: to be kept for offline, to be isolated, so that threads can share
// memory, and to be held to its policy in its workers too. A host that sends the headers does both at once; elsewhere the
// service worker does, from the next load on, so a first visit loads twice.

import { signal } from "@preact/signals";
import type { Wish } from "./service-worker.ts";

const RELOADED = "saunet-reloaded";
/** A first visit waits so long for the service worker; then the page starts on one thread. */
const PATIENCE_MS = 5000;
/** A page that stays open asks its host for a new version this often. */
const UPDATE_INTERVAL_MS = 3_600_000;

/** Loads a new version of the page, where one has been fetched and waits. */
export const update = signal<(() => void) | undefined>(undefined);

/** Resolves when the page may start; on a first visit without the headers it reloads instead. */
export async function prepareHost(): Promise<void> {
  if (crossOriginIsolated || navigator.serviceWorker?.controller || wasReloaded()) return;
  const inControl = new Promise<boolean>((resolve) => {
    navigator.serviceWorker?.addEventListener("controllerchange", () => resolve(true), { once: true });
    setTimeout(resolve, PATIENCE_MS, false);
  });
  if (!(await keepForOffline()) || !(await inControl)) return;
  location.reload();
  // Nothing is started that the reload would end.
  await new Promise(() => {});
}

/** Has the page kept for offline; best once nothing else is to be fetched. Tells whether the browser is willing. */
export async function keepForOffline(): Promise<boolean> {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return false;
  try {
    const registration = await navigator.serviceWorker.register("./service-worker.js");
    announceUpdates(registration);
    return true;
  } catch {
    return false;
  }
}

/** Offers every version that is fetched while this one is open. */
function announceUpdates(registration: ServiceWorkerRegistration): void {
  const offer = (next: ServiceWorker) => {
    // The very first version replaces nothing.
    if (registration.active === null) return;
    update.value = () => {
      navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
      next.postMessage("take over" satisfies Wish);
    };
  };
  if (registration.waiting !== null) offer(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const { installing } = registration;
    installing?.addEventListener("statechange", () => {
      if (installing.state === "installed") offer(installing);
    });
  });
  const ask = () => registration.update().catch(() => {});
  setInterval(ask, UPDATE_INTERVAL_MS);
}

/** Whether this tab has been reloaded for isolation before: it is tried once. */
function wasReloaded(): boolean {
  try {
    if (sessionStorage.getItem(RELOADED) !== null) return true;
    sessionStorage.setItem(RELOADED, "yes");
    return false;
  } catch {
    return true;
  }
}

// What the page asks of its host before it starts: to be kept for offline, and to be isolated, so that threads can
// share memory. A host that sends the headers isolates it at once; elsewhere the service worker does, from the next
// load on, so a first visit loads twice.

const RELOADED = "saunet-reloaded";
/** A first visit waits so long for the service worker; then the page starts on one thread. */
const PATIENCE_MS = 5000;

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
  return navigator.serviceWorker.register("./service-worker.js").then(
    () => true,
    () => false,
  );
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

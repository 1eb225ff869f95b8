import { expect, it, vi } from "vitest";

const start = vi.hoisted(() => ({ attempts: 1, end: () => {} }));
vi.mock("../ui/worker.ts", () => ({
  started: (worker: object) => ({ remote: worker }),
  startUp: async (make: () => unknown) => {
    for (let i = 0; i < start.attempts; i++) make();
    await new Promise<void>((resolve) => {
      start.end = resolve;
    });
  },
}));

it.each([1, 2])("is drawn by the worker that came up, which was the last of %d", async (attempts) => {
  vi.resetModules();
  start.attempts = attempts;
  const made: object[] = [];
  class FakeWorker {
    readonly script: string;
    readonly options: unknown;
    constructor({ pathname }: URL, options: unknown) {
      [this.script, this.options] = [pathname.slice(pathname.lastIndexOf("/")), options];
      made.push(this);
    }
  }
  vi.stubGlobal("Worker", FakeWorker);
  const module = await import("./view.ts");
  expect(made).toHaveLength(attempts);
  expect(module.view).toBe(made.at(-1));
  expect(module.view).toMatchObject({ script: "/view.worker.ts", options: { type: "module" } });
  // Whoever hands a canvas over waits until it is up.
  const isUp = vi.fn();
  void module.viewStarted.then(isUp);
  await new Promise((resolve) => setImmediate(resolve));
  expect(isUp).not.toHaveBeenCalled();
  start.end();
  await module.viewStarted;
  vi.unstubAllGlobals();
});

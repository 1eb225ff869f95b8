import { beforeEach, expect, it, vi } from "vitest";

const kept = vi.hoisted(() => ({
  blobs: new Map<string, unknown>(),
  opened: [] as string[],
  refuses: false,
}));
vi.mock("idb-keyval", () => ({
  createStore: (database: string, name: string) => {
    kept.opened.push(`${database}/${name}`);
    return {};
  },
  set: async (key: string, blob: unknown) => {
    if (kept.refuses) throw new Error("no storage");
    kept.blobs.set(key, blob);
  },
  get: async (key: string) => new Blob([kept.blobs.get(key) as Blob]),
  del: async (key: string) => kept.blobs.delete(key),
}));

beforeEach(() => {
  vi.resetModules();
  kept.blobs.clear();
  [kept.opened, kept.refuses] = [[], false];
});
const blob = new Blob(["bytes"]);
const browser = (userAgent: string) => vi.stubGlobal("navigator", { userAgent });

it("passes blobs through Firefox's database, which leaves nothing there", async () => {
  browser("Mozilla/5.0 Gecko/20100101 Firefox/153.0");
  const { filed } = await import("./filed.ts");
  for (let i = 0; i < 2; i++) {
    const copy = await filed(blob);
    expect(copy).not.toBe(blob);
    expect(await copy.text()).toBe("bytes");
  }
  expect([kept.blobs.size, kept.opened]).toEqual([0, ["saunet-results/blobs"]]);
});

it("leaves them alone where the browser sees to that, or keeps nothing", async () => {
  const { filed } = await import("./filed.ts");
  browser("Mozilla/5.0 Chrome/140.0 Safari/537.36");
  expect(await filed(blob)).toBe(blob);
  expect(kept.opened).toEqual([]);
  browser("Firefox");
  kept.refuses = true;
  expect(await filed(blob)).toBe(blob);
});

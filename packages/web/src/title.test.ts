import { afterEach, beforeEach, expect, it, vi } from "vitest";

/** A page at an address; events are those of a window. */
function pageAt(hash: string) {
  const listeners = new Map<string, () => void>();
  const page = {
    location: { hash },
    document: { title: "", documentElement: { dataset: {} as Record<string, string> } },
  };
  vi.stubGlobal("location", page.location);
  vi.stubGlobal("document", page.document);
  vi.stubGlobal("addEventListener", (name: string, listener: () => void) => listeners.set(name, listener));
  return {
    ...page,
    turnTo: (to: string) => {
      page.location.hash = to;
      listeners.get("hashchange")!();
    },
  };
}

beforeEach(() => void vi.resetModules());
afterEach(() => void vi.unstubAllGlobals());

it.each([
  ["", "segment"],
  ["#segment", "segment"],
  ["#inside", "inside"],
  ["#inside/head/0", "inside"],
  ["#insider", "segment"],
  ["#train", "train"],
])("opens at %j the page %s", async (hash, wanted) => {
  const page = pageAt(hash);
  const { openTab, tab } = await import("./tabs.ts");
  expect(tab.value).toBe(wanted);
  page.turnTo("#train");
  expect(tab.value).toBe("train");
  openTab("inside");
  expect(page.location.hash).toBe("#inside");
});

it("says in the tab's title what is open, and what goes on", async () => {
  const page = pageAt("");
  const { isTraining, trainingStep } = await import("./title.ts");
  const { items } = await import("./segment/items.ts");
  const item = (id: number, kind: string) => ({ id, progress: { kind } }) as never;
  expect(page.document.title).toBe("Segment · saunet");
  items.value = [item(1, "segmenting")];
  expect(page.document.title).toBe("segmenting · Segment · saunet");
  items.value = [item(1, "done"), item(2, "reading"), item(3, "waiting"), item(4, "failed")];
  expect(page.document.title).toBe("2 of 4 · Segment · saunet");
  isTraining.value = true;
  trainingStep.value = 7;
  expect(page.document.title).toBe("2 of 4 · Segment · saunet");
  items.value = [item(1, "done")];
  expect(page.document.title).toBe("step 7 · Segment · saunet");
  page.turnTo("#train");
  expect(page.document.title).toBe("step 7 · Train here · saunet");
  isTraining.value = false;
  expect(page.document.title).toBe("Train here · saunet");
});

it.each([
  ["dark", "dark"],
  ["light", "light"],
  ["system", "system"],
  ["purple", "system"],
  [null, "system"],
])("looks, where the browser has kept %j, %s", async (kept, wanted) => {
  const page = pageAt("");
  const store = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: () => kept,
    setItem: (key: string, value: string) => store.set(key, value),
  });
  const { theme } = await import("./theme.ts");
  expect([theme.value, page.document.documentElement.dataset.theme]).toEqual([wanted, wanted]);
  theme.value = "dark";
  expect([page.document.documentElement.dataset.theme, store.get("saunet-theme")]).toEqual(["dark", "dark"]);
});

it("looks as the system does where a browser keeps nothing", async () => {
  const page = pageAt("");
  const refuse = () => {
    throw new Error("no storage");
  };
  vi.stubGlobal("localStorage", { getItem: refuse, setItem: refuse });
  const { theme } = await import("./theme.ts");
  expect(theme.value).toBe("system");
  theme.value = "light";
  expect(page.document.documentElement.dataset.theme).toBe("light");
});

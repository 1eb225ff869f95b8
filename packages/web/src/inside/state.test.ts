// What is looked at, over a worker that is played: one photograph at a time, layers and places within them, and the address
// that leads back.

import { beforeEach, describe, expect, it, vi } from "vitest";
import type * as Items from "../segment/items.ts";
import type * as State from "./state.ts";

class WorkerError extends Error {}

const played = vi.hoisted(() => ({
  engines: 0,
  ended: 0,
  asked: [] as string[],
  look: async (_: unknown): Promise<unknown> => ({}),
  answers: true,
}));
const layers = [
  { id: "encoder1.conv1", width: 8, height: 6, channels: 4 },
  { id: "bottleneck.attention", width: 2, height: 3, channels: 1 },
];
const anatomy = { layers, vessel: { x: 0.5, y: 0.25 } };

vi.mock("../ui/worker.ts", () => ({
  WorkerError,
  within: async (_: number, answer: Promise<unknown>) => {
    if (!played.answers) throw new WorkerError("no answer");
    return answer;
  },
  startUp: async (make: () => unknown) => void make(),
  started: () => {
    played.engines++;
    const asked =
      (name: string, answer: (...of: unknown[]) => unknown) =>
      async (...of: unknown[]) => {
        played.asked.push([name, ...of].join(" "));
        return answer(...of);
      };
    const remote = {
      look: (file: Blob, weights?: Uint8Array) => played.look({ file, weights }),
      channels: asked("channels", (id) => [`pictures of ${id}`]),
      channel: asked("channel", (id, channel) => ({ image: `${id} ${channel}` })),
      probe: asked("probe", (_id, row, column, channel) => ({ probe: { row, column, channel }, before: [] })),
    };
    return { remote, failed: new Promise(() => {}), end: () => void played.ended++ };
  },
}));
vi.mock("../segment/queue.ts", async () => {
  const { signal } = await import("@preact/signals");
  return { weightsInUse: signal<{ name: string; bytes?: Uint8Array }>({ name: "shipped" }) };
});

let state: typeof State;
let items: typeof Items;
let page: { hash: string };
let follow: () => void;
const settled = async () => {
  for (let i = 0; i < 8; i++) await new Promise((resolve) => setImmediate(resolve));
};

beforeEach(async () => {
  vi.resetModules();
  Object.assign(played, { engines: 0, ended: 0, asked: [], answers: true, look: async () => anatomy });
  page = { hash: "#inside" };
  vi.stubGlobal("Worker", class {});
  vi.stubGlobal("location", page);
  const followers: (() => void)[] = [];
  vi.stubGlobal("addEventListener", (_: string, listener: () => void) => followers.push(listener));
  follow = () => {
    for (const each of followers) each();
  };
  vi.stubGlobal("history", {
    state: "kept",
    replaceState: (_: unknown, _title: string, address: string) => {
      page.hash = address;
    },
  });
  items = await import("../segment/items.ts");
  state = await import("./state.ts");
  items.items.value = [
    { id: 1, name: "unread.png", file: new Blob(["1"]) },
    { id: 2, name: "eye.png", file: new Blob(["2"]), size: { width: 8, height: 6 } },
    { id: 3, name: "ear.png", file: new Blob(["3"]), size: { width: 8, height: 6 } },
  ] as unknown as readonly Items.Item[];
});

const shown = () => {
  const { value: detail } = state.detail;
  return detail && [detail.id, detail.channel, detail.column, detail.row];
};

describe("looking", () => {
  it("is at the photograph that is selected, or the first that has been read, at a vessel of it", async () => {
    await state.lookAt();
    expect([state.specimen.value?.name, shown(), page.hash]).toEqual([
      "eye.png",
      ["encoder1.conv1", 0, 4, 1],
      "#inside/encoder1.conv1/0?x=4&y=1",
    ]);
    expect(state.detail.value).toMatchObject({
      channels: ["pictures of encoder1.conv1"],
      report: { image: "encoder1.conv1 0" },
      probe: { row: 1, column: 4, channel: 0 },
      layer: layers[0],
    });
    items.selectedId.value = 3;
    await state.lookAt();
    expect([state.specimen.value?.name, played.engines]).toEqual(["ear.png", 1]);
    items.selectedId.value = 1;
    await state.lookAt();
    expect(state.specimen.value?.name).toBe("eye.png");
  });

  it("does not look twice at the same, unless other weights have come into use", async () => {
    const look = vi.fn(async () => anatomy);
    played.look = look;
    await state.lookAt();
    await state.lookAt();
    expect(look).toHaveBeenCalledTimes(1);
    const { weightsInUse } = await import("../segment/queue.ts");
    weightsInUse.value = { name: "own", bytes: Uint8Array.of(1) };
    await state.lookAt();
    expect(look).toHaveBeenCalledTimes(2);
    expect(look).toHaveBeenLastCalledWith({ file: items.items.value[1].file, weights: Uint8Array.of(1) });
    items.items.value = [];
    await state.lookAt();
    expect(look).toHaveBeenCalledTimes(2);
  });

  it("goes on to what was chosen while it looked", async () => {
    let release = () => {};
    played.look = () =>
      new Promise((resolve) => {
        release = () => resolve(anatomy);
      });
    const looking = state.lookAt();
    await settled();
    expect(state.isLooking.value).toBe(true);
    items.selectedId.value = 3;
    await state.lookAt();
    release();
    await settled();
    release();
    await looking;
    expect([state.specimen.value?.name, state.isLooking.value]).toEqual(["ear.png", false]);
  });

  it("is tried once more with another worker where one breaks, and then says so", async () => {
    let broken = 1;
    played.look = async () => {
      if (broken-- > 0) throw new WorkerError("it broke");
      return anatomy;
    };
    await state.lookAt();
    expect([state.specimen.value?.name, played.engines, played.ended, state.failure.value]).toEqual([
      ...["eye.png", 2, 1],
      undefined,
    ]);
    broken = 2;
    items.selectedId.value = 3;
    await state.lookAt();
    expect([state.failure.value, played.ended, state.isLooking.value]).toEqual([
      ...["ear.png could not be looked into: it broke.", 3],
      false,
    ]);
    await state.lookAt();
    expect([state.failure.value, state.specimen.value?.name]).toEqual([undefined, "ear.png"]);
  });

  it("says what is wrong with a photograph, and keeps its worker", async () => {
    played.look = async () => {
      throw new Error("is cut short");
    };
    await state.lookAt();
    expect([state.failure.value, played.ended]).toEqual([
      "eye.png could not be looked into: is cut short.",
      0,
    ]);
  });
});

describe("a place", () => {
  beforeEach(() => state.lookAt());

  it("is kept from layer to layer, as a share of the picture", async () => {
    await state.choosePlace(5, 7);
    expect(shown()).toEqual(["encoder1.conv1", 0, 7, 5]);
    await state.chooseLayer("bottleneck.attention");
    expect(shown()).toEqual(["bottleneck.attention", 0, 1, 2]);
    expect([state.layerId.value, page.hash]).toEqual([
      "bottleneck.attention",
      "#inside/bottleneck.attention/0?x=1&y=2",
    ]);
    await state.chooseLayer("encoder1.conv1", 2);
    expect(shown()).toEqual(["encoder1.conv1", 2, 7, 5]);
  });

  it("is a new photograph's vessel again", async () => {
    await state.choosePlace(5, 7);
    items.selectedId.value = 3;
    page.hash = "#inside";
    await state.lookAt();
    expect(shown()).toEqual(["encoder1.conv1", 0, 4, 1]);
  });

  it("that is not there is replaced by what comes next to it", async () => {
    await state.openPlace({ id: "nowhere.conv1", channel: 99, at: { column: 99, row: -1 } });
    expect(shown()).toEqual(["encoder1.conv1", 3, 7, 0]);
    await state.openPlace({ id: "encoder1.conv1", channel: -1, at: { column: -1, row: 99 } });
    expect(shown()).toEqual(["encoder1.conv1", 0, 0, 5]);
  });

  it("asks only for what has changed", async () => {
    played.asked = [];
    await state.choosePlace(2, 3);
    expect(played.asked).toEqual(["probe encoder1.conv1 2 3 0"]);
    await state.chooseChannel(3);
    expect(played.asked.slice(1)).toEqual(["channel encoder1.conv1 3", "probe encoder1.conv1 2 3 3"]);
  });

  it("is what the address says, which others may change", async () => {
    page.hash = "#inside/bottleneck.attention/0?x=0&y=1";
    state.hovered.value = { row: 1, column: 1 };
    follow();
    await settled();
    expect([shown(), state.hovered.value]).toEqual([["bottleneck.attention", 0, 0, 1], undefined]);
    page.hash = "#inside/none of it";
    follow();
    await settled();
    expect(shown()).toEqual(["bottleneck.attention", 0, 0, 1]);
    page.hash = "#train";
    follow();
    await state.chooseLayer("encoder1.conv1");
    // Another tab's address is left alone.
    expect(page.hash).toBe("#train");
  });

  it("is that of the last choice, whichever answer comes first", async () => {
    await Promise.all([state.choosePlace(1, 1), state.choosePlace(2, 2)]);
    expect(shown()).toEqual(["encoder1.conv1", 0, 2, 2]);
  });

  it("says so where the worker answers nothing more", async () => {
    played.answers = false;
    await state.choosePlace(1, 1);
    expect([state.failure.value, played.ended]).toEqual(["The layers cannot be shown: no answer.", 1]);
  });
});

it("lets go of what it has computed 30 seconds after a person has turned to another tab", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    await state.lookAt();
    const { tab } = await import("../tabs.ts");
    tab.value = "segment";
    vi.advanceTimersByTime(29_000);
    tab.value = "inside";
    vi.advanceTimersByTime(60_000);
    expect(played.ended).toBe(0);
    tab.value = "train";
    vi.advanceTimersByTime(30_000);
    expect(played.ended).toBe(1);
    await state.lookAt();
    expect([state.specimen.value?.name, played.engines]).toEqual(["eye.png", 2]);
  } finally {
    vi.useRealTimers();
  }
});

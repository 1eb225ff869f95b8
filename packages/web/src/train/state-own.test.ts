// What a run of one's own photographs learns from and is tested on, over a worker that is played.

import { beforeEach, describe, expect, it, vi } from "vitest";
import type * as Items from "../segment/items.ts";
import type * as Kept from "./kept-run.ts";
import type * as State from "./state.ts";
import type { TrainingPlan } from "./train.worker.ts";

const { beginAnew, news, played, settled, store, WorkerError, workers } = await vi.hoisted(
  () => import("./testing-played.ts"),
);
vi.mock("comlink", () => ({ proxy: (tell: unknown) => tell }));
vi.mock("../ui/worker.ts", () => workers);
vi.mock("idb-keyval", () => store);
vi.mock("../title.ts", async () => {
  const { signal } = await import("@preact/signals");
  return { isTraining: signal(false), trainingStep: signal(0) };
});
vi.mock("../segment/queue.ts", () => ({ EXAMPLE: "synthetic.png" }));
vi.mock("../segment/view.ts", () => ({ view: {} }));

let state: typeof State;
let items: typeof Items;
let kept: typeof Kept;
const planOf = () => played.plan as TrainingPlan;

async function visit(): Promise<void> {
  vi.resetModules();
  vi.stubGlobal("Worker", class {});
  vi.stubGlobal("addEventListener", () => {});
  state = await import("./state.ts");
  items = await import("../segment/items.ts");
  kept = await import("./kept-run.ts");
}

beforeEach(async () => {
  beginAnew();
  await visit();
});

/** Photographs with masks of their vessels, as the first tab holds them. */
async function addPhotographs(...names: readonly string[]): Promise<void> {
  const { addMask } = await import("../segment/masks.ts");
  items.items.value = names.map((name, i) => ({
    ...{ id: i + 1, name, fileName: name, file: new Blob([name]), size: { width: 4, height: 3 } },
    progress: { kind: "waiting" },
  }));
  for (const { id, name } of items.items.value) {
    const mask = new Blob([`vessels of ${name}`]);
    await addMask({ id: 100 + id, name: `${name}-mask.png`, kind: "vessels", width: 4, height: 3, mask }, id);
  }
}

describe("photographs of one's own", () => {
  it("are those with a mask of their vessels; the last of several is held out", async () => {
    await state.meetSubject();
    await addPhotographs("a.png", "b.png", "synthetic.png");
    items.items.value = [...items.items.value, { ...items.items.value[0], id: 9, name: "bare.png" }];
    expect(state.candidates.value.map(({ name }) => name)).toEqual(["a.png", "b.png"]);
    await state.chooseLearnFrom("own");
    expect([state.heldOutId.value, state.subject.value]).toEqual([2, { shown: "b.png" }]);
    state.begin();
    expect(planOf().pictures).toMatchObject([{ name: "a.png", width: 4, height: 3 }]);
    expect(await planOf().pictures[0].vessels.text()).toBe("vessels of a.png");
    expect(state.picturesLearned.value).toBe(1);
    expect((await kept.keptPictures()).heldOut?.name).toBe("b.png");
    // They are a later visit's too, under the names that earlier versions kept them by.
    played.tell(news(1, [1], { checkpoint: Uint8Array.of(9) }));
    await settled();
    expect([...played.kept.keys()].toSorted()).toEqual(["saunet-run", "saunet-run-pictures"]);
    await visit();
    await state.meetSubject();
    expect(state.subject.value).toEqual({ shown: "b.png" });
    state.begin();
    expect(planOf().pictures).toMatchObject([{ name: "a.png" }]);
  });

  it("that are a single one are learned from, tested on the synthetic one; synthetic ones again where chosen", async () => {
    await state.meetSubject();
    await addPhotographs("a.png");
    await state.chooseLearnFrom("own");
    expect([state.heldOutId.value, state.subject.value]).toEqual([undefined, { shown: "synthetic" }]);
    state.begin();
    expect(planOf().pictures).toHaveLength(1);
    state.reset();
    await settled();
    await state.chooseLearnFrom("synthetic");
    state.begin();
    expect(planOf().pictures).toHaveLength(0);
  });

  it("may not be fit to be held out: it says so, and the synthetic one is", async () => {
    await state.meetSubject();
    await addPhotographs("a.png", "b.png");
    played.subject = async (own) => {
      if (own !== undefined) throw new Error("it is cut short");
      return { shown: "synthetic" };
    };
    await state.holdOut(1);
    expect([state.failure.value, state.heldOutId.value, state.subject.value]).toEqual([
      "a.png cannot be held out: it is cut short.",
      undefined,
      { shown: "synthetic" },
    ]);
  });

  it("are held out by the last choice, whichever answer comes first", async () => {
    await state.meetSubject();
    await addPhotographs("a.png", "b.png");
    const answers = new Map<string, (shown: unknown) => void>();
    played.subject = (own) => new Promise((resolve) => answers.set(own!.name, resolve));
    const choices = [state.holdOut(1), state.holdOut(2)];
    await settled();
    expect(state.subject.value).toBeUndefined();
    answers.get("b.png")!({ shown: "b" });
    answers.get("a.png")!({ shown: "a" });
    await Promise.all(choices);
    expect(state.subject.value).toEqual({ shown: "b" });
  });

  it("stay chosen where an earlier choice turns out to be unfit", async () => {
    await state.meetSubject();
    await addPhotographs("a.png", "b.png");
    let refuse = (_: Error) => {};
    played.subject = async (own) => {
      if (own?.name !== "a.png") return { shown: own?.name };
      return new Promise((_, reject) => {
        refuse = reject;
      });
    };
    const choices = [state.holdOut(1), state.holdOut(2)];
    await settled();
    refuse(new Error("it is cut short"));
    await Promise.all(choices);
    expect([state.heldOutId.value, state.subject.value]).toEqual([2, { shown: "b.png" }]);
  });

  it("are not there where even the synthetic one cannot be drawn: it says so, and asks no more", async () => {
    await state.meetSubject();
    let asked = 0;
    // A third answer lets a page end that would ask without end.
    played.subject = async () => {
      if (++asked < 3) throw new Error("no memory");
      return { shown: "synthetic" };
    };
    await state.holdOut(undefined);
    expect([asked, state.subject.value, state.failure.value]).toEqual([
      1,
      undefined,
      "The synthetic photograph cannot be held out: no memory.",
    ]);
  });

  it("are asked for once more where the worker is stuck", async () => {
    await state.meetSubject();
    let asked = 0;
    played.subject = async () => {
      if (asked++ === 0) throw new WorkerError("no answer");
      return { shown: "later" };
    };
    await state.holdOut(undefined);
    expect([state.subject.value, played.engines, played.ended]).toEqual([{ shown: "later" }, 2, 1]);
  });
});

// A training run as the page sees it, over a worker that is played: what it tells is drawn and kept, and whatever breaks is
// taken up again from what was kept.

import { beforeEach, describe, expect, it, vi } from "vitest";
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
vi.mock("../segment/queue.ts", () => ({
  EXAMPLE: "synthetic.png",
  useWeights: async (...of: unknown[]) => void played.used.push(of),
}));
vi.mock("../segment/view.ts", () => ({ view: {} }));

let state: typeof State;
let kept: typeof Kept;
let beforeUnload: (event: { preventDefault(): void }) => void;

const planOf = () => played.plan as TrainingPlan;

async function visit(): Promise<void> {
  vi.resetModules();
  vi.stubGlobal("Worker", class {});
  vi.stubGlobal("addEventListener", (name: string, listener: typeof beforeUnload) => {
    if (name === "beforeunload") beforeUnload = listener;
  });
  state = await import("./state.ts");
  kept = await import("./kept-run.ts");
}

beforeEach(async () => {
  beginAnew();
  await visit();
});

/** Whether the browser would ask before the tab is closed. */
function asks(): boolean {
  const preventDefault = vi.fn();
  beforeUnload({ preventDefault });
  return preventDefault.mock.calls.length > 0;
}

describe("a run", () => {
  it("begins fresh, tells every step, and is kept with each of its checkpoints", async () => {
    await state.meetSubject();
    expect(state.subject.value).toEqual({ shown: "synthetic" });
    state.begin();
    expect(planOf()).toEqual({ start: "fresh", learningRate: 0.002, pictures: [] });
    expect([state.runState.value, asks()]).toEqual(["running", false]);
    played.tell(news(2, [1, 0.5], { network: "sa-unet-v2" }));
    expect(state.curves.value).toMatchObject({ steps: [1, 2], losses: [1, 0.5], heldOutSteps: [], f1: [] });
    expect(state.curves.value.smooth[0]).toBeCloseTo(1, 12);
    expect([state.networkLearned.value, state.stepTime.value, state.speed.value]).toEqual([
      "sa-unet-v2",
      12,
      34,
    ]);
    const heldOut = { f1: 0.7, auc: 0.9 } as never;
    played.tell(news(5, [0.4, 0.3, 0.2], { heldOut }));
    expect([asks(), state.keptStep.value]).toEqual([true, 0]);
    played.tell(news(5, [], { checkpoint: Uint8Array.of(5) }));
    await settled();
    expect([asks(), state.keptStep.value]).toEqual([false, 5]);
    expect(state.curves.value).toMatchObject({ steps: [1, 2, 3, 4, 5], heldOutSteps: [5], f1: [0.7] });
    expect(await kept.keptRun()).toEqual({
      ...{ step: 5, checkpoint: Uint8Array.of(5), curves: state.curves.value, learningRate: 20 },
    });
  });

  it("draws no more than a thousand points of a curve, its newest among them", async () => {
    state.begin();
    for (let step = 300; step <= 3000; step += 300)
      played.tell(
        news(
          step,
          Array.from({ length: 300 }, (_, i) => step - 299 + i),
        ),
      );
    const { steps, losses, smooth } = state.curves.value;
    expect(steps.length).toBeLessThanOrEqual(1000);
    expect(steps.length).toBeGreaterThan(500);
    expect([losses, smooth.length]).toEqual([steps, steps.length]);
    expect(steps.at(-1)).toBeGreaterThan(2990);
  });

  it("keeps all of a thousand points, and every other one of more", () => {
    const numbers = Array.from({ length: 1000 }, (_, i) => i + 1);
    state.begin();
    played.tell(news(1000, numbers));
    expect(state.curves.value.steps).toEqual(numbers);
    played.tell(news(1001, [1001]));
    expect(state.curves.value.steps).toEqual([...numbers, 1001].filter((step) => step % 2 === 1));
  });

  it("pauses, goes on, and takes another learning rate", async () => {
    state.begin();
    const pausing = state.pause();
    expect(state.runState.value).toBe("pausing");
    await pausing;
    expect(state.runState.value).toBe("paused");
    state.begin();
    expect([state.runState.value, played.resumed, played.engines]).toEqual(["running", 1, 1]);
    state.setLearningRate(5);
    expect(played.rates).toEqual([0.0005]);
  });

  it("is taken up again by a later visit", async () => {
    state.begin();
    state.setLearningRate(7);
    played.tell(news(3, [3, 2, 1], { checkpoint: Uint8Array.of(9) }));
    await settled();
    const { value: curves } = state.curves;
    await visit();
    await state.meetSubject();
    expect([state.runState.value, state.step.value, state.keptStep.value]).toEqual(["kept", 3, 3]);
    expect([state.curves.value, state.learningRate.value]).toEqual([curves, 7]);
    state.begin();
    expect(planOf()).toEqual({ start: Uint8Array.of(9), learningRate: 0.0007, pictures: [] });
    const before = played.engines;
    await state.meetSubject();
    expect(played.engines).toBe(before);
  });

  it("is forgotten, and what it still tells is not heard", async () => {
    await state.meetSubject();
    state.begin();
    const { tell } = played;
    tell(news(3, [3, 2, 1], { checkpoint: Uint8Array.of(9) }));
    await settled();
    state.reset();
    expect(state.subject.value).toBeUndefined();
    await settled();
    tell(news(4, [1]));
    expect([state.runState.value, state.step.value, state.keptStep.value]).toEqual(["idle", 0, 0]);
    expect([state.curves.value.steps, await kept.keptRun(), played.ended]).toEqual([[], undefined, 1]);
    expect([state.stepTime.value, state.speed.value]).toEqual([Number.NaN, Number.NaN]);
    expect(state.subject.value).toEqual({ shown: "synthetic" });
  });

  it("says where the browser does not keep it", async () => {
    played.keeps = false;
    state.begin();
    played.tell(news(1, [1], { checkpoint: Uint8Array.of(9) }));
    await settled();
    expect([state.failure.value, state.keptStep.value]).toEqual([
      "This browser does not keep the run for later: the disk is full. Save its weights before you leave.",
      0,
    ]);
  });

  it("hands over what it has learned", async () => {
    state.begin();
    played.tell(news(4, [1]));
    expect([await state.learnedWeights(), await state.checkpointNow()]).toEqual([
      Uint8Array.of(1, 2),
      Uint8Array.of(3, 4),
    ]);
    await state.useLearned();
    expect(played.used).toEqual([["trained here for 4 steps", Uint8Array.of(1, 2)]]);
  });
});

describe("what a run begins with", () => {
  it("may be a file that a person opens", async () => {
    await state.openStart(new File([Uint8Array.of(6)], "own.safetensors"));
    expect(state.opened.value).toMatchObject({ network: "tiny", step: 7, name: "own.safetensors" });
    state.begin();
    expect(planOf().start).toEqual(Uint8Array.of(6));
  });

  it("stays as it was where the file cannot be used", async () => {
    state.start.value = "shipped";
    await state.openStart(new File([], "own.safetensors"));
    expect(state.failure.value).toBe("own.safetensors cannot be started from: it is empty.");
    state.begin();
    expect([planOf().start, state.failure.value]).toEqual(["shipped", undefined]);
  });
});

describe("a run that breaks", () => {
  beforeEach(async () => {
    await state.meetSubject();
    state.begin();
  });

  it("ends with what a step had against it", async () => {
    played.fail(new Error("the loss is NaN"));
    await settled();
    expect([state.failure.value, state.runState.value]).toEqual([
      "The training ended: the loss is NaN.",
      "idle",
    ]);
  });

  it("goes on from what was kept, with another worker, once", async () => {
    played.tell(news(3, [3, 2, 1], { checkpoint: Uint8Array.of(9) }));
    await settled();
    played.tell(news(5, [1, 1]));
    const { tell } = played;
    played.fail(new WorkerError("it broke"));
    await settled();
    expect(state.failure.value).toBe(
      "The engine was started anew at step 5, since it broke; the run goes on from step 3.",
    );
    expect([state.runState.value, state.step.value, played.engines, played.ended]).toEqual([
      "running",
      3,
      2,
      1,
    ]);
    expect(planOf().start).toEqual(Uint8Array.of(9));
    tell(news(6, [1]));
    expect(state.step.value).toBe(3);
    // It has made a step, so that is tried again; then not a single one, and the engine is given up.
    played.tell(news(4, [1]));
    played.fail(new WorkerError("it broke"));
    await settled();
    expect(state.runState.value).toBe("running");
    played.fail(new WorkerError("it broke again"));
    await settled();
    expect([state.failure.value, state.runState.value]).toEqual([
      "The training ended at step 3: it broke again.",
      "kept",
    ]);
  });

  it("is over where a person forgets it meanwhile", async () => {
    played.tell(news(3, [3, 2, 1], { checkpoint: Uint8Array.of(9) }));
    await settled();
    played.fail(new WorkerError("it broke"));
    state.reset();
    await settled();
    expect([state.runState.value, state.step.value, state.failure.value]).toEqual(["idle", 0, undefined]);
  });

  it("begins anew where nothing was kept", async () => {
    played.tell(news(2, [1, 1]));
    played.fail(new WorkerError("it broke"));
    await settled();
    expect([planOf().start, state.runState.value, state.step.value]).toEqual(["fresh", "running", 0]);
  });

  it("ends where it was about to pause", async () => {
    played.tell(news(2, [1, 1]));
    state.runState.value = "pausing";
    played.fail(new WorkerError("it broke"));
    await settled();
    expect([state.failure.value, state.runState.value]).toEqual([
      "The training ended at step 2: it broke.",
      "idle",
    ]);
  });

  it("says so where its engine does not start anew", async () => {
    played.subject = async () => {
      throw new Error("no memory");
    };
    played.fail(new WorkerError("it broke"));
    await settled();
    expect(state.failure.value).toBe(
      "The training ended (it broke), and its engine did not start anew: no memory.",
    );
  });

  it("is taken up again where nothing is heard of it for 80 seconds, unless it is paused", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      played.tell(news(1, [1]));
      vi.advanceTimersByTime(79_000);
      played.tell(news(2, [1]));
      vi.advanceTimersByTime(79_999);
      await settled();
      expect(state.failure.value).toBeUndefined();
      vi.advanceTimersByTime(1);
      await settled();
      expect(state.failure.value).toContain("since nothing was heard of the training for 80 seconds");
      played.tell(news(1, [1]));
      await state.pause();
      state.failure.value = undefined;
      vi.advanceTimersByTime(200_000);
      await settled();
      expect([state.failure.value, state.runState.value]).toEqual([undefined, "paused"]);
    } finally {
      vi.useRealTimers();
    }
  });
});

// The queue over an engine that is played: whatever a person does meanwhile, nothing is worked on twice at a time, nothing
// is lost, and what is shown was found with the weights that are in use.

import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type * as Items from "./items.ts";
import type * as Masks from "./masks.ts";
import type * as Queue from "./queue.ts";

/** An answer of the engine that is still to come. */
interface Call {
  readonly name: string;
  readonly argument: unknown;
  readonly answer: (value?: unknown) => void;
  readonly refuse: (error: Error) => void;
}

/** Everything that was asked of engines; those of an engine that was ended are never answered. */
let calls: Call[] = [];
let engines = 0;
let threads = 1;
/** What engines were given to use, and why none starts. */
let used: unknown[] = [];
let refusal: Error | undefined;

class WorkerError extends Error {
  override readonly name = "WorkerError";
}

function played(name: string) {
  return (argument?: unknown) =>
    new Promise((resolve, reject) => {
      const call: Call = {
        name,
        argument,
        answer: (value) => {
          calls = calls.filter((each) => each !== call);
          resolve(value);
        },
        refuse: (error) => {
          calls = calls.filter((each) => each !== call);
          reject(error);
        },
      };
      calls.push(call);
    });
}

/** What answers at once, as an engine does between photographs. */
const prompt = (value: unknown) => async () => value;

vi.mock("../ui/worker.ts", () => ({
  WorkerError,
  within: (_: number, answer: Promise<unknown>) => answer,
  started: () => {
    const own = ++engines;
    const ended = { is: false };
    const unlessEnded = (call: (argument?: unknown) => Promise<unknown>) => (argument?: unknown) =>
      ended.is ? new Promise(() => {}) : call(argument);
    const network = { name: "sa-unet-v2" };
    const remote = {
      up: prompt(undefined),
      use: async (bytes: unknown) => void used.push(bytes),
      network: prompt(network),
      stop: prompt(undefined),
      read: unlessEnded(played("read")),
      segment: unlessEnded(played("segment")),
      example: prompt({ photograph: new Blob(["p"]), truth: new Blob(["t"]), width: 4, height: 3 }),
      hashes: prompt([`hash of engine ${own}`]),
    };
    const end = () => {
      ended.is = true;
      calls = [];
    };
    return { remote, failed: new Promise(() => {}), end };
  },
  startUp: async (make: () => unknown) => {
    make();
    if (refusal !== undefined) throw refusal;
    return { threads, cores: 2, relaxed: false, reasons: [] };
  },
}));
vi.mock("./view.ts", () => ({ view: { judge: async () => ({ counts: new Uint32Array() }) } }));

let queue: typeof Queue;
let items: typeof Items;
let masks: typeof Masks;

beforeEach(async () => {
  vi.stubGlobal("Worker", class {});
  vi.stubGlobal("window", globalThis);
  [calls, engines, threads, used, refusal] = [[], 0, 1, [], undefined];
  vi.resetModules();
  queue = await import("./queue.ts");
  items = await import("./items.ts");
  masks = await import("./masks.ts");
  queue.startWorker();
  await settled();
});
afterEach(() => void vi.unstubAllGlobals());

/** Lets everything that can go on go on. */
const settled = async () => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};

const file = (name: string) => new File([name], name, { type: "image/png" });
const kinds = () => items.items.value.map(({ progress }) => progress.kind);
const names = () => items.items.value.map(({ name }) => name);
const photograph = { kind: "photograph", width: 4, height: 3, thumbnail: new Blob(["small"]) };
const found = () => ({
  probability: new Blob(["p"]),
  field: new Blob(["f"]),
  tally: { counts: new Uint32Array() },
  ...{ width: 4, height: 3, scale: 1, seconds: 1, doubts: [] },
});

/** Answers what is asked, as an engine does with photographs. */
async function answerNext(): Promise<void> {
  const [call] = calls;
  call?.answer(call.name === "read" ? photograph : found());
  await settled();
}

async function answerAll(): Promise<void> {
  for (let i = 0; calls.length > 0 && i < 1000; i++) await answerNext();
}

describe("the queue", () => {
  it("works on photographs one at a time, in their order, and tells them apart", async () => {
    queue.addFiles([file("a.png"), file("a.png"), file("b.png")]);
    expect([names(), kinds()]).toEqual([
      ["a.png", "a (2).png", "b.png"],
      ["waiting", "waiting", "waiting"],
    ]);
    expect(items.selected()?.name).toBe("a.png");
    await settled();
    expect(kinds()).toEqual(["reading", "waiting", "waiting"]);
    await answerNext();
    expect(kinds()).toEqual(["segmenting", "waiting", "waiting"]);
    expect(items.items.value[0]).toMatchObject({ size: { width: 4, height: 3 }, fileName: "a.png" });
    await answerNext();
    expect(kinds()).toEqual(["done", "reading", "waiting"]);
    await answerAll();
    expect(kinds()).toEqual(["done", "done", "done"]);
    const result = items.resultOf(items.items.value[2]);
    expect(result).toMatchObject({ threads: 1, weights: "shipped", detected: result?.field });
  });

  it("brings own weights to an engine that is started anew, and waits for it", async () => {
    await queue.useWeights("own", Uint8Array.of(7));
    queue.startAgain();
    expect(queue.engineFailure.value).toBeUndefined();
    await queue.engineStarted();
    expect(used).toEqual([Uint8Array.of(7), Uint8Array.of(7)]);
    expect(await queue.hashesOfWeights()).toEqual(["hash of engine 2"]);
  });

  it("says why an engine does not start, and takes up what waited once it does", async () => {
    refusal = new Error("no memory");
    queue.startWorker();
    await settled();
    queue.addFiles([file("a.png")]);
    await settled();
    expect([queue.engineFailure.value, kinds()]).toEqual(["no memory", ["cancelled"]]);
    refusal = undefined;
    queue.startAgain();
    await settled();
    expect([queue.engineFailure.value, kinds()]).toEqual([undefined, ["reading"]]);
    await answerAll();
    expect(kinds()).toEqual(["done"]);
  });

  it("lets go of small copies with their photographs", async () => {
    const revoke = vi.spyOn(URL, "revokeObjectURL");
    queue.addFiles([file("a.png")]);
    await settled();
    await answerAll();
    const [{ id, thumbnail }] = items.items.value;
    queue.again(id);
    await settled();
    await answerAll();
    expect(revoke.mock.calls).toEqual([[thumbnail]]);
    const { thumbnail: second } = items.items.value[0];
    queue.remove(id);
    expect(revoke.mock.calls).toEqual([[thumbnail], [second]]);
    revoke.mockRestore();
  });

  it("says what is wrong with a picture, and goes on with the next", async () => {
    queue.addFiles([file("a.png"), file("b.png"), file("c.png")]);
    await settled();
    calls[0].refuse(Object.assign(new Error("is no picture"), { name: "PictureError" }));
    await settled();
    await answerNext();
    calls[0].refuse(new Error("no memory"));
    await settled();
    await answerAll();
    expect(
      items.items.value.map(({ progress }) => ("message" in progress ? progress.message : progress.kind)),
    ).toEqual(["a.png is no picture.", "b.png could not be segmented: no memory.", "done"]);
    expect(engines).toBe(1);
  });

  it("starts the engine anew where its worker breaks", async () => {
    queue.addFiles([file("a.png"), file("b.png")]);
    await settled();
    calls[0].refuse(new WorkerError("it broke"));
    await settled();
    expect(engines).toBe(2);
    await answerAll();
    expect(kinds()).toEqual(["failed", "done"]);
  });

  it("takes a mask for the photograph that it is named like, or was chosen for, and frees its name", async () => {
    const mask = { kind: "vessels", width: 4, height: 3, mask: new Blob(["m"]) };
    queue.addFiles([file("eye.png"), file("eye.png"), file("other.png")]);
    await settled();
    // The first of two files of one name is the mask.
    calls[0].answer(mask);
    await settled();
    expect(names()).toEqual(["eye.png", "other.png"]);
    await answerAll();
    const [eye, other] = items.items.value;
    expect(masks.maskInUse(eye.id, "vessels")).toMatchObject({ name: "eye.png", photograph: eye.id });
    expect(masks.maskInUse(other.id, "vessels")).toBeUndefined();
    queue.addFiles([file("drawing.png")], other.id);
    expect(items.selectedId.value).not.toBe(items.items.value[2].id);
    await settled();
    calls[0].answer(mask);
    await settled();
    expect(masks.maskInUse(other.id, "vessels")?.name).toBe("drawing.png");
    expect(items.notice.value).toBeUndefined();
    queue.addFiles([file("colours.png")], other.id);
    await settled();
    await answerAll();
    expect(items.notice.value).toBe(
      "colours.png is not black and white, so it is no mask: it was taken for a photograph.",
    );
  });

  it.each(["photograph", "vessels"])(
    "leaves a picture alone that was taken out while it was read, if it is one of kind %s",
    async (kind) => {
      queue.addFiles([file("a.png"), file("b.png")]);
      await settled();
      const [a] = items.items.value;
      const [reading] = calls;
      queue.remove(a.id);
      reading.answer({ ...photograph, kind, mask: new Blob(["m"]) });
      await settled();
      // The engine has gone on to the next one.
      expect([names(), kinds(), masks.masks.value]).toEqual([["b.png"], ["reading"], []]);
      expect(calls.map(({ name }) => name)).toEqual(["read"]);
    },
  );

  it("segments anew by other weights what has been segmented, and nothing else", async () => {
    queue.addFiles([file("a.png"), file("b.png"), file("c.png")]);
    await settled();
    await answerNext();
    await answerNext();
    calls[0].refuse(new Error("no memory"));
    await settled();
    queue.cancel();
    expect(kinds()).toEqual(["done", "failed", "cancelled"]);
    await queue.useWeights("own", Uint8Array.of(7));
    await settled();
    expect(kinds()).toEqual(["reading", "failed", "cancelled"]);
    await answerAll();
    expect(kinds()).toEqual(["done", "failed", "cancelled"]);
    expect(items.resultOf(items.items.value[0])?.weights).toBe("own");
  });

  it("says how many files of a folder are no pictures, and that there are none", async () => {
    queue.addFound({ files: [], others: 3 });
    expect(items.notice.value).toBe("There are no pictures among these files.");
    queue.addFound({ files: [file("a.png")], others: 0 });
    expect(items.notice.value).toBeUndefined();
    queue.addFound({ files: [file("b.png")], others: 1 });
    expect(items.notice.value).toBe("1 file of the folder left out: no pictures.");
  });

  it("brings the synthetic photograph with its truth", async () => {
    await queue.addExample();
    await settled();
    await answerAll();
    const [item] = items.items.value;
    expect([item.name, item.progress.kind]).toEqual([queue.EXAMPLE, "done"]);
    expect(masks.maskInUse(item.id, "vessels")?.name).toBe("synthetic-truth.png");
  });

  it.each([
    [1, 2],
    [2, 1],
  ])(
    "stops an engine of %d threads, by %d engines in all, and takes up what it stopped",
    async (count, wanted) => {
      queue.startWorker();
      threads = count;
      queue.startWorker();
      await settled();
      const before = engines;
      queue.addFiles([file("a.png"), file("b.png")]);
      await settled();
      await answerNext();
      expect(kinds()).toEqual(["segmenting", "waiting"]);
      queue.cancel();
      await settled();
      expect(kinds()).toEqual(["cancelled", "cancelled"]);
      expect(engines - before + 1).toBe(wanted);
      queue.resume();
      await settled();
      await answerAll();
      expect(kinds()).toEqual(["done", "done"]);
      expect(items.resultOf(items.items.value[0])?.threads).toBe(count);
    },
  );

  it("shows, after a photograph was taken out, the one that came after it, or else before it", async () => {
    queue.addFiles([file("a.png"), file("b.png"), file("c.png")]);
    await answerAll();
    const [a, b, c] = items.items.value.map(({ id }) => id);
    items.selectedId.value = b;
    queue.remove(b);
    expect(items.selectedId.value).toBe(c);
    queue.remove(c);
    expect(items.selectedId.value).toBe(a);
    queue.remove(a);
    expect(items.selectedId.value).toBeUndefined();
  });

  it("says why weights cannot be used, and uses those before", async () => {
    const damaged = {
      arrayBuffer: () => Promise.reject(new Error("it is cut short")),
      name: "own.safetensors",
    };
    await queue.openWeights(damaged as unknown as File);
    expect(queue.weightsRefusal.value).toBe("own.safetensors could not be used: it is cut short.");
    expect(queue.weightsInUse.value.name).toBe("shipped");
    await queue.openWeights(file("own.safetensors"));
    expect(queue.weightsRefusal.value).toBeUndefined();
    expect(queue.weightsInUse.value).toEqual({
      name: "own.safetensors",
      bytes: new Uint8Array(Buffer.from("own.safetensors")),
    });
  });

  it("is at rest in the end, whatever a person does meanwhile", async () => {
    const steps = fc.oneof(
      { weight: 4, arbitrary: fc.constant("answer" as const) },
      fc.constantFrom("add" as const, "cancel" as const, "resume" as const, "remove" as const),
      fc.constantFrom("again" as const, "weights" as const, "break" as const, "select" as const),
    );
    const run = async (some: readonly string[], threadCount: number) => {
      for (const { id } of items.items.value) queue.remove(id);
      threads = threadCount;
      calls = [];
      queue.startWorker();
      await settled();
      let [added, used] = [0, 0];
      for (const step of some) {
        const [first] = items.items.value;
        if (step === "answer") await answerNext();
        if (step === "add") queue.addFiles([file(`${added++ % 3}.png`), file("x.png")]);
        if (step === "cancel") queue.cancel();
        if (step === "resume") queue.resume();
        if (step === "remove" && first !== undefined) queue.remove(first.id);
        if (step === "again" && first?.progress.kind === "done") queue.again(first.id);
        if (step === "weights") await queue.useWeights(`weights ${++used}`, new Uint8Array([used]));
        if (step === "break") calls.at(0)?.refuse(new WorkerError("it broke"));
        if (step === "select") items.selectedId.value = items.items.value.at(-1)?.id;
        await settled();
        expect(
          kinds().filter((kind) => kind === "reading" || kind === "segmenting").length,
        ).toBeLessThanOrEqual(1);
        expect(new Set(names()).size).toBe(names().length);
        const { value: shown } = items.selectedId;
        if (items.items.value.length > 0 && shown !== undefined) expect(items.itemOf(shown)).toBeDefined();
      }
      queue.resume();
      await settled();
      await answerAll();
      expect(kinds().filter((kind) => kind !== "done" && kind !== "failed")).toEqual([]);
      for (const item of items.items.value) {
        const result = items.resultOf(item);
        if (result !== undefined) expect(result.weights).toBe(queue.weightsInUse.value.name);
      }
    };
    const random = fc.asyncProperty(fc.array(steps, { maxLength: 14 }), fc.constantFrom(1, 2), run);
    await fc.assert(random, { numRuns: 40, seed: 1 });
  });
});

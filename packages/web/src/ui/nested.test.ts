import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

/** A worker that was made; it notes what it is sent. */
class FakeWorker {
  static made: FakeWorker[] = [];
  readonly messages: unknown[][] = [];
  onerror: ((event: { message: string }) => void) | undefined;
  terminate = vi.fn();
  readonly script: string;
  readonly type: WorkerType | undefined;
  constructor(script: string, { type }: WorkerOptions = {}) {
    this.script = script;
    this.type = type;
    FakeWorker.made.push(this);
  }
  postMessage(message: unknown, transfer: unknown[] = []) {
    this.messages.push([message, transfer]);
  }
}

describe("makeWorker", () => {
  let hear: (event: { data: unknown }) => void;
  beforeEach(() => {
    vi.resetModules();
    FakeWorker.made = [];
    vi.stubGlobal("Worker", FakeWorker);
    vi.stubGlobal("addEventListener", (_: string, listener: typeof hear) => {
      hear = listener;
    });
  });
  afterEach(() => void vi.unstubAllGlobals());

  /** The two sides: a worker that has heard of its page. */
  async function bothSides() {
    const nested = await import("./nested.ts");
    const asking = new FakeWorker("engine.js");
    const end = nested.makeWorkersFor(asking as unknown as Worker);
    nested.hearOfMaker();
    // Messages that are no offer, as Comlink's, do not matter.
    hear({ data: "something else" });
    hear({ data: asking.messages[0][0] });
    const made = async (count: number) => {
      await expect.poll(() => FakeWorker.made).toHaveLength(1 + count);
      return FakeWorker.made.slice(1);
    };
    return { ...nested, end, made };
  }

  it("makes a worker itself where no page has offered to", async () => {
    const { makeWorker } = await import("./nested.ts");
    expect(makeWorker("thread.js", "module")).toBe(FakeWorker.made[0]);
    expect(FakeWorker.made[0]).toMatchObject({ script: "thread.js", type: "module" });
  });

  it("has the page make it, and passes messages on with their ports", async () => {
    const { makeWorker, made, end } = await bothSides();
    const worker = makeWorker("thread.js");
    const { port1, port2 } = new MessageChannel();
    worker.postMessage({ thread: 1, port: port2 }, [port2]);
    const [thread] = await made(1);
    expect(thread).toMatchObject({ script: "thread.js", type: "classic" });
    await expect.poll(() => thread.messages).toHaveLength(1);
    const [[message, transfer]] = thread.messages as [{ thread: number; port: MessagePort }, unknown[]][];
    expect(message.thread).toBe(1);
    expect(transfer).toEqual([message.port]);
    const answered = new Promise((resolve) => {
      port1.onmessage = ({ data }) => resolve(data);
    });
    message.port.postMessage("ready");
    expect(await answered).toBe("ready");
    port1.close();
    end();
  });

  it("tells of an error in it", async () => {
    const { makeWorker, made, end } = await bothSides();
    const heard = new Promise((resolve) => {
      makeWorker("thread.js").addEventListener("error", ({ message }) => resolve(message));
    });
    const [thread] = await made(1);
    thread.onerror!({ message: "it broke" });
    expect(await heard).toBe("it broke");
    end();
  });

  it("ends one that is sent home, and with the worker that asked all others", async () => {
    const { makeWorker, made, end } = await bothSides();
    const first = makeWorker("first.js");
    makeWorker("second.js");
    const threads = await made(2);
    first.terminate();
    await expect.poll(() => threads[0].terminate).toHaveBeenCalledOnce();
    expect(threads[1].terminate).not.toHaveBeenCalled();
    end();
    for (const { terminate } of threads) expect(terminate).toHaveBeenCalledOnce();
  });
});

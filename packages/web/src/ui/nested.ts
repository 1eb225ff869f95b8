// Workers that workers need: an engine's threads, and what draws batches. The page makes all of them.
//
// In Firefox 153 ESR driven by WebDriver BiDi, `new Worker` called within a worker does not return in one case of five on
// two busy cores (41 of 200 workers that made three), which blocks that worker for good; of 300 whose workers the page
// made, none was blocked.

import type { WorkerLike } from "@saunet/wasm";

/** What a worker asks for: a worker of a script, whose messages come through the port. */
interface Wish {
  readonly script: string;
  readonly type: WorkerType;
  readonly port: MessagePort;
}

/** What comes through its port: a message to pass on, with ports that move there, or the end. */
type Order = { readonly message: unknown } | "terminate";

/** What the page tells a worker first. */
interface Offer {
  readonly makerOfWorkers: MessagePort;
}

/**
 * On the page: makes the workers that this one will ask for.
 *
 * @returns ends all of them; they do not end with the worker that asked
 */
export function makeWorkersFor(worker: Worker): () => void {
  const made = new Set<Worker>();
  const { port1: wishes, port2: makerOfWorkers } = new MessageChannel();
  wishes.onmessage = ({ data: { script, type, port } }: MessageEvent<Wish>) => {
    const own = new Worker(script, { type });
    made.add(own);
    own.onerror = ({ message }) => port.postMessage(message);
    port.onmessage = ({ data: order, ports }: MessageEvent<Order>) => {
      if (order !== "terminate") return own.postMessage(order.message, [...ports]);
      own.terminate();
      made.delete(own);
      port.close();
    };
  };
  worker.postMessage({ makerOfWorkers } satisfies Offer, [makerOfWorkers]);
  return () => {
    wishes.close();
    for (const own of made) own.terminate();
    made.clear();
  };
}

let maker: MessagePort | undefined;

/** In a worker: hears where it gets workers from. To be called before the page's first message can arrive. */
export function hearOfMaker(): void {
  addEventListener("message", ({ data }: MessageEvent<Partial<Offer> | undefined>) => {
    maker ??= data?.makerOfWorkers;
  });
}

/** In a worker: a worker that the page makes; where no page has offered that, one that is made here. */
export function makeWorker(script: string, type: WorkerType = "classic"): WorkerLike {
  if (maker === undefined) return new Worker(script, { type });
  const { port1: own, port2: port } = new MessageChannel();
  maker.postMessage({ script, type, port } satisfies Wish, [port]);
  return {
    postMessage: (message, transfer) =>
      own.postMessage({ message } satisfies Order, transfer as Transferable[]),
    terminate() {
      own.postMessage("terminate" satisfies Order);
      own.close();
    },
    addEventListener(_type, listener) {
      own.onmessage = ({ data: message }: MessageEvent<string>) => listener({ message });
    },
  };
}

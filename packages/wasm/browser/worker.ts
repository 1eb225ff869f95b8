import type { WorkerLike } from "@saunet/wasm";
import { work } from "./work.ts";

/** A thread that the page is to make; messages for it come through the port. */
export interface Wish {
  readonly script: string;
  readonly port: MessagePort;
}

function threadOfThePage(script: string): WorkerLike {
  const { port1, port2: port } = new MessageChannel();
  postMessage({ script, port } satisfies Wish, { transfer: [port] });
  return {
    postMessage: (message, transfer) => port1.postMessage(message, transfer as Transferable[]),
    terminate: () => port1.postMessage("end"),
    addEventListener() {},
  };
}

addEventListener(
  "message",
  async ({ data: { threads, isMaker } }: MessageEvent<{ threads: number; isMaker: boolean }>) => {
    postMessage(await work(threads, isMaker ? threadOfThePage : undefined).catch((error: Error) => error));
  },
);

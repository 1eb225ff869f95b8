import { work } from "./work.ts";

addEventListener("message", async ({ data: threads }: MessageEvent<number>) => {
  postMessage(await work(threads).catch((error: Error) => error));
});

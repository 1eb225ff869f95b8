// The process of one contender: loads it, runs it when asked, and tells how long that took and what it needed.

import { readFile } from "node:fs/promises";
import { readInputs } from "../inputs.ts";
import { productContenders } from "../products/contenders.ts";
import { readFactors } from "../products/product.ts";
import { NotInstalledError, type Run, type Training } from "./contender.ts";
import type { Answer, Request } from "./protocol.ts";
import { contenders } from "./registry.ts";

/** Serves requests until the bench lets go. */
export function serve(): void {
  let run: Run | undefined;
  let moments: Training["moments"] | undefined;
  const answer = async (request: Request): Promise<Answer> => {
    switch (request.kind) {
      case "load": {
        const contender = contenders.find(({ name }) => name === request.contender)!;
        const inputs = readInputs(await readFile(request.inputs), request.discipline);
        const job = { ...inputs, onnx: request.onnx, threads: request.threads };
        if (request.discipline === "model") run = await contender.model(job);
        else ({ step: run, moments } = await contender.train!(job));
        return { kind: "loaded" };
      }
      case "load product": {
        const { prepare } = productContenders.find(({ name }) => name === request.contender)!;
        const multiply = await prepare(readFactors(await readFile(request.inputs)), request.threads);
        run = async () => {
          for (let call = 1; call < request.calls; call++) await multiply();
          return multiply();
        };
        return { kind: "loaded" };
      }
      case "run": {
        const start = performance.now();
        const output = await run!();
        const ms = performance.now() - start;
        return request.wantsOutput ? { kind: "ran", ms, output: output.slice() } : { kind: "ran", ms };
      }
      case "moments":
        return { kind: "moments", moments: (await moments!()).map((array) => array.slice()) };
      case "memory":
        return { kind: "memory", peakRssMb: process.resourceUsage().maxRSS / 1024 };
    }
  };
  process.on("message", async (request: Request) => {
    try {
      process.send!(await answer(request));
    } catch (error) {
      const reason = (error instanceof Error ? error.message : String(error)).split("\n")[0];
      process.send!({
        kind: "failed",
        reason,
        notInstalled: error instanceof NotInstalledError,
      } satisfies Answer);
    }
  });
  process.on("disconnect", () => process.exit());
}

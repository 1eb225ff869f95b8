// The process of one contender: loads it, runs it when asked, and tells how long that took and what it needed.

import { readFile } from "node:fs/promises";
import { convolutionContenders } from "../convolutions/contenders.ts";
import { readInputs } from "../inputs.ts";
import { tellParent } from "../parent.ts";
import { productContenders } from "../products/contenders.ts";
import { readFactors } from "../products/product.ts";
import { NotInstalledError, type Run, type Training } from "./contender.ts";
import type { Answer, Request } from "./protocol.ts";
import { contenders } from "./registry.ts";

/** A run of several calls. */
const repeated =
  (once: Run, calls: number): Run =>
  async () => {
    for (let call = 1; call < calls; call++) await once();
    return once();
  };

/** Serves requests until the bench lets go. */
export function serve(): void {
  let run: (() => unknown) | undefined;
  let output: Run | undefined;
  let moments: Training["moments"] | undefined;
  const answer = async (request: Request): Promise<Answer> => {
    switch (request.kind) {
      case "load": {
        const contender = contenders.find(({ name }) => name === request.contender)!;
        const inputs = readInputs(await readFile(request.inputs), request.discipline);
        const job = { ...inputs, onnx: request.onnx, threads: request.threads };
        if (request.discipline === "model") output = await contender.model!(job);
        else ({ step: output, moments } = await contender.train!(job));
        run = output;
        return { kind: "loaded" };
      }
      case "load product": {
        const { prepare } = productContenders.find(({ name }) => name === request.contender)!;
        const multiply = await prepare(readFactors(await readFile(request.inputs)), request.threads);
        output = multiply;
        run = repeated(multiply, request.calls);
        return { kind: "loaded" };
      }
      case "load convolution": {
        const { contender, convolution, kernel, threads, calls } = request;
        const { prepare } = convolutionContenders.find(({ name }) => name === contender)!;
        ({ output, run } = await prepare!(convolution, kernel, threads, calls));
        return { kind: "loaded" };
      }
      case "run": {
        if (request.wantsOutput) return { kind: "ran", ms: [], output: (await output!()).slice() };
        const ms: number[] = [];
        for (let i = 0; i < request.runs; i++) {
          const start = performance.now();
          await run!();
          ms.push(performance.now() - start);
        }
        return { kind: "ran", ms };
      }
      case "moments":
        return { kind: "moments", moments: (await moments!()).map((array) => array.slice()) };
      case "memory":
        return { kind: "memory", peakRssMb: process.resourceUsage().maxRSS / 1024 };
    }
  };
  process.on("message", async (request: Request) => {
    try {
      tellParent(await answer(request));
    } catch (error) {
      const reason = (error instanceof Error ? error.message : String(error)).split("\n")[0];
      const notInstalled = error instanceof NotInstalledError;
      tellParent({ kind: "failed", reason, notInstalled } satisfies Answer);
    }
  });
  // Ctrl-C reaches every process of a terminal; whoever started this one ends it.
  process.on("SIGINT", () => {});
  process.on("disconnect", () => process.exit());
}

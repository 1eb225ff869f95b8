// What the tests of serving and screening share.

import type { Answer, Request } from "./compute.ts";
import { computing } from "./compute.ts";
import type { Computer } from "./computer.ts";
import { createService, type Service, type ServiceOptions } from "./service/service.ts";

export * from "../../cli/src/testing.ts";

/** A computer in this process that can be held up. */
export interface HeldComputer extends Computer {
  /** From now on requests wait until they are let go; or are done with what is given. */
  hold(): void;
  letGo(error?: Error): void;
  isUp: boolean;
}

export function computerHere(): HeldComputer {
  const compute = computing();
  let gate: Promise<void> | undefined;
  let open: (error?: Error) => void = () => {};
  const until = (signal?: AbortSignal) =>
    new Promise<never>((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
  return {
    isUp: true,
    losses: 0,
    async segment(request: Request, signal?: AbortSignal): Promise<Answer> {
      if (gate !== undefined) await Promise.race([gate, until(signal)]);
      return compute(request);
    },
    close() {},
    hold() {
      gate = new Promise((resolve, reject) => {
        open = (error) => (error === undefined ? resolve() : reject(error));
      });
      gate.catch(() => {});
    },
    letGo(error) {
      open(error);
      gate = undefined;
    },
  };
}

/** A service on a free port of this machine, its computer and its log. */
export interface Serving {
  readonly service: Service;
  readonly computer: HeldComputer;
  readonly address: string;
  readonly port: number;
  readonly log: () => string;
}

export const limits = { maxBytes: 100_000, maxPixels: 20_000, seconds: 30, waiting: 8 };

export async function serving(
  weights: string,
  options: Partial<Omit<ServiceOptions, "limits">> & { limits?: Partial<typeof limits> } = {},
): Promise<Serving> {
  let log = "";
  const computer = computerHere();
  const service = await createService({
    computer,
    served: { name: "tiny", weights: { file: weights }, kinds: ["probability", "mask", "overlay"] },
    version: "0",
    log: {
      write(line) {
        log += line;
      },
    },
    ...options,
    limits: { ...limits, ...options.limits },
  });
  const address = await service.app.listen({ host: "127.0.0.1", port: 0 });
  return { service, computer, address, port: Number(new URL(address).port), log: () => log };
}

// A bench in a process that measures it: opened once, it has a list of units, which are measured one by one, so that
// what was measured is safe, another build can take its turn between, and one that hangs costs no more than itself.

import type { MachineRecord, Row } from "./schema.ts";
import type { Settings } from "./settings.ts";

/** An opened bench. */
export interface Session {
  /** What there is to measure: names for people, in their order. */
  readonly units: readonly string[];
  /** `[H,W,C]` of the photograph. */
  readonly input?: readonly number[];
  /** What the photograph is, and which weights. */
  readonly about?: string;
  /** Measures a unit, leaving out the contenders that hung before. */
  readonly measure: (unit: number, without: ReadonlySet<string>) => Promise<readonly Row[]>;
  readonly end: () => void;
}

/** Opens a bench. */
export type Open = (settings: Settings) => Promise<Session>;

/** The benches that processes of their own measure. */
export const sessions = {
  model: async () => (await import("./race.ts")).openModel,
  sizes: async () => (await import("./race.ts")).openSizes,
  train: async () => (await import("./race.ts")).openTrain,
  kernels: async () => (await import("./kernels.ts")).openKernels,
  matmul: async () => (await import("./matmul.ts")).openProducts,
  operators: async () => (await import("./operators.ts")).openOperators,
  layers: async () => (await import("./layers.ts")).openLayers,
  winograd: async () => (await import("./rounding.ts")).openRounding,
  lab: async () => (await import("./lab-session.ts")).openLaboratory,
} satisfies Readonly<Record<string, () => Promise<Open>>>;

export type BenchName = keyof typeof sessions;

/** To a process that measures. */
export type SessionRequest =
  | { readonly kind: "open"; readonly bench: BenchName; readonly settings: Settings }
  | { readonly kind: "measure"; readonly unit: number; readonly without: readonly string[] }
  | { readonly kind: "stop" };

/** From it: signs of life, and an answer to every request but `stop`. */
export type SessionAnswer =
  | { readonly kind: "sign"; readonly doing: string }
  | {
      readonly kind: "opened";
      readonly units: readonly string[];
      readonly machine: MachineRecord;
      readonly input?: readonly number[];
      readonly about?: string;
    }
  | { readonly kind: "measured"; readonly rows: readonly Row[]; readonly stopped: boolean }
  | { readonly kind: "failed"; readonly reason: string; readonly usage: boolean };

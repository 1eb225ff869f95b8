// What a training run stands on, played: the worker that trains, and the browser's store.

import type { TrainingNews } from "./train.worker.ts";

export class WorkerError extends Error {}

/** A photograph to be held out. */
interface Named {
  readonly name: string;
}

/** What the worker was told, and how it answers. */
export const played = {
  engines: 0,
  ended: 0,
  /** The run at hand: what it was told to do, how it tells, and how it ends. */
  plan: undefined as unknown,
  tell: (_: object) => {},
  fail: (_: Error) => {},
  subject: async (own?: Named): Promise<unknown> => ({ shown: own?.name ?? "synthetic" }),
  rates: [] as number[],
  resumed: 0,
  used: [] as unknown[],
  kept: new Map<string, unknown>(),
  keeps: true,
};

export function beginAnew(): void {
  Object.assign(played, {
    engines: 0,
    ended: 0,
    plan: undefined,
    rates: [],
    resumed: 0,
    used: [],
    keeps: true,
  });
  played.subject = async (own) => ({ shown: own?.name ?? "synthetic" });
  played.kept.clear();
}

const remote = {
  subject: (own?: Named) => played.subject(own),
  run: (plan: unknown, tell: typeof played.tell) => {
    [played.plan, played.tell] = [plan, tell];
    return new Promise((_, reject) => {
      played.fail = reject;
    });
  },
  inspect: async (bytes: Uint8Array) => {
    if (bytes.length === 0) throw new Error("it is empty");
    return { network: "tiny", step: 7 };
  },
  pause: async () => {},
  resume: async () => void played.resumed++,
  setLearningRate: async (rate: number) => void played.rates.push(rate),
  weights: async () => Uint8Array.of(1, 2),
  checkpoint: async () => Uint8Array.of(3, 4),
};

/** In place of ui/worker.ts. */
export const workers = {
  WorkerError,
  within: (_: number, answer: Promise<unknown>) => answer,
  started: () => {
    played.engines++;
    return { remote, failed: new Promise(() => {}), end: () => void played.ended++ };
  },
  startUp: async (make: () => unknown) => void make(),
};

const refused = () => Promise.reject(new Error("the disk is full"));

/** In place of idb-keyval. */
export const store = {
  get: async (key: string) => played.kept.get(key),
  set: async (key: string, value: unknown) => (played.keeps ? void played.kept.set(key, value) : refused()),
  delMany: async (keys: string[]) => {
    for (const key of keys) played.kept.delete(key);
  },
};

/** Lets everything that can go on go on. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** What the worker tells of steps. */
export const news = (
  step: number,
  losses: readonly number[],
  more: Partial<TrainingNews> = {},
): TrainingNews => ({
  ...{ step, losses, milliseconds: 12, cropsPerSecond: 34 },
  ...more,
});

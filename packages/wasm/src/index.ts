// The public list.

export {
  type AccelerateOptions,
  type AccelerationReport,
  accelerate,
  FUSION_NAMES,
  restore,
} from "./accelerate.ts";
export { detectFeatures, type Feature, type Features } from "./features.ts";
export { MemoryError } from "./memory.ts";
export { observe, type Span, type StepTiming } from "./observe.ts";
export type { Convolutions } from "./plan.ts";
export { KernelError } from "./runner.ts";
export type { MakeWorker, WorkerLike } from "./threads/pool.ts";

// The public list.

export { type AccelerateOptions, type AccelerationReport, accelerate, restore } from "./accelerate.ts";
export { detectFeatures, type Feature, type Features } from "./features.ts";
export { MemoryError } from "./memory.ts";
export { KernelError } from "./runner.ts";

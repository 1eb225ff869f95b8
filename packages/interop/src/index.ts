// The public list.

export type { Assignment } from "./compare.ts";
export { ImportError } from "./errors.ts";
export type { Imported, ImportOptions } from "./imported.ts";
export { importKeras } from "./keras/import.ts";
export { expectLayout, type Layout, layoutOf } from "./layout.ts";
export { exportOnnx, type OnnxOptions } from "./onnx/export.ts";
export { importTorch } from "./torch/import.ts";

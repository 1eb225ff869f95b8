// The public list.

export { ImportError } from "./errors.ts";
export type { Imported, ImportOptions } from "./imported.ts";
export { importKeras } from "./keras/import.ts";
export { layoutOf } from "./layout.ts";
export type { Assignment } from "./match.ts";
export { exportOnnx, type OnnxOptions } from "./onnx/export.ts";
export { importTorch } from "./torch/import.ts";

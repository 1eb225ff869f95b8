// The public list.

export { exportOnnx, type OnnxOptions } from "./onnx/export.ts";

// The public list. One line an operator file.

export * from "./autograd.ts";
export * from "./broadcast.ts";
export * from "./errors.ts";
export * from "./kernel.ts";
export * from "./ops/arithmetic.ts";
export * from "./ops/conv2d.ts";
export * from "./ops/conv2d-dims.ts";
export * from "./ops/sum.ts";
export * from "./random.ts";
export * from "./shape.ts";
export * from "./tensor.ts";

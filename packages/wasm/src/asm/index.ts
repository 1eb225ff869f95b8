// The assembler: modules of WebAssembly written by TypeScript. Read ladder.test.ts first.

export { DOUBLE, FLOAT, type FunctionBuilder, type I32, type Range, type V128, VECTOR } from "./function.ts";
export type { LaneShape, MemoryAccess } from "./immediates.ts";
export type { Instructions, Local, Operand, Results, Value } from "./instructions.ts";
export { type MemorySize, ModuleBuilder } from "./module.ts";
export { type InstructionName, type Opcode, opcodes, type ValueType } from "./opcodes.ts";
export { AssemblyError, type BlockResult, type Func, type Label } from "./structure.ts";
export { toWat } from "./wat.ts";

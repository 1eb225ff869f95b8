// The assembler: modules of WebAssembly written by TypeScript. Read ladder.test.ts first.

export { AssemblyError, type BlockResult, type Func, type FunctionBuilder, type Label } from "./function.ts";
export type { LaneShape, MemoryAccess } from "./immediates.ts";
export type { Instructions, Local, Operand, Results, Value } from "./instructions.ts";
export { type MemorySize, ModuleBuilder } from "./module.ts";
export { type InstructionName, type Opcode, opcodes, type ValueType } from "./opcodes.ts";
export { toWat } from "./wat.ts";

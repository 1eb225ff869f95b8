// Writes one function: its variables and its instructions.
//
// An instruction takes its operands from the top of a stack and leaves its result there; how many values lie there, and
// of which types, is known without running anything. The builder keeps that stack while a function is written and throws
// as soon as it would be invalid, so that the stack trace names the wrong line of TypeScript.
//
// Each instruction of the table is a method. Its operands are its arguments: a variable, a number, or what another
// instruction has left. So code reads as an expression; what is written are the machine's instructions, in order:
//
//   f.set(y, f32.add(f32.mul(a, x), y))     local.get a  local.get x  f32.mul  local.get y  f32.add  local.set y
//
// The body of a block is a callback, so that the indentation of TypeScript is the nesting of WebAssembly.

import { signed, unsigned } from "./encode.ts";
import {
  type Immediate,
  type ImmediateArguments,
  type Instruction,
  noImmediate,
  readInstruction,
} from "./immediates.ts";
import {
  InstructionMethods,
  isValue,
  type Local,
  type Operand,
  type Results,
  type Value,
} from "./instructions.ts";
import {
  controlOpcodes,
  type InstructionName,
  type Opcode,
  opcodes,
  type Signatures,
  type ValueType,
  valueTypes,
} from "./opcodes.ts";
import {
  AssemblyError,
  type BlockResult,
  type Func,
  type Label,
  type ModuleContext,
  type Types,
} from "./structure.ts";

/** The code of one function while it is written. */
export class CodeBuilder<R extends Types = Types> extends InstructionMethods {
  /** The function itself, for recursion. */
  readonly self: Func<R>;
  /** Parameters first. */
  readonly variables: Local[] = [];
  readonly #names = new Set<string>();
  readonly code: Instruction[] = [];
  readonly #module: ModuleContext;
  readonly #stack: Value[] = [];
  readonly #labels: Label[] = [];

  constructor(self: Func<R>, module: ModuleContext) {
    super((opcode, args) => this.#instruction(opcode, args));
    this.self = self;
    this.#module = module;
  }

  /** Declares a variable; it is zero until it is set. */
  local<T extends ValueType>(name: string, type: T): Local<T> {
    const index = this.variables.length;
    const local = { type, name: this.#names.has(name) ? `${name}_${index}` : name, index };
    this.#names.add(local.name);
    this.variables.push(local);
    return local;
  }

  /** Puts a variable on the stack. Only needed before `emit`: any operand may be the variable itself. */
  get<T extends ValueType>(local: Local<T>): Value<T> {
    this.#access("local.get", local);
    return this.#leave(local.type, "local.get", this.code.length - 1);
  }

  /** `local = value` */
  set<T extends ValueType>(local: Local<T>, value: NoInfer<Operand<T>>): void {
    this.#takeOperands("local.set", [value], [local.type]);
    this.#access("local.set", local);
  }

  /** `local = value`, as an expression. */
  tee<T extends ValueType>(local: Local<T>, value: NoInfer<Operand<T>>): Value<T> {
    const start = this.#takeOperands("local.tee", [value], [local.type]);
    this.#access("local.tee", local);
    return this.#leave(local.type, "local.tee", start);
  }

  /** `body`; a branch to the label it is given goes after it. */
  block<const B extends Types = []>(body: (end: Label) => BlockResult, results?: B): Results<B> {
    return this.#block("block", this.code.length, results, body);
  }

  /** `body`, once; a branch to the label it is given goes back to its start. */
  loop<const B extends Types = []>(body: (again: Label) => BlockResult, results?: B): Results<B> {
    return this.#block("loop", this.code.length, results, body);
  }

  /** `if (condition) then() else otherwise()`; with results it is an expression and needs both. */
  if<const B extends Types = []>(
    condition: Operand<"i32">,
    then: (end: Label) => BlockResult,
    otherwise?: (end: Label) => BlockResult,
    results?: B,
  ): Results<B> {
    if (results && otherwise === undefined) this.#refuse("if", "with results it needs both branches");
    const start = this.#takeOperands("if", [condition], ["i32"]);
    return this.#block("if", start, results, then, ...(otherwise ? [otherwise] : []));
  }

  /** Goes to a label. */
  br(label: Label, ...results: Operand[]): void {
    const depth = this.#depth("br", label);
    this.#takeOperands("br", results, label.kind === "loop" ? [] : label.results);
    this.#leaveBlock("br", depth);
  }

  /** Goes to a label if the condition is not zero; the label must be one without results. */
  brIf(label: Label, condition: Operand<"i32">): void {
    const depth = this.#depth("br_if", label);
    if (label.kind !== "loop" && label.results.length > 0)
      this.#refuse("br_if", "its label must not have results");
    this.#takeOperands("br_if", [condition], ["i32"]);
    this.#control("br_if", depth);
  }

  /** Returns from the function. */
  return(...results: Operand[]): void {
    this.#takeOperands("return", results, this.self.results);
    this.#leaveBlock("return");
  }

  /** Stops the program with an error: for a place that is never reached. */
  unreachable(): void {
    this.#leaveBlock("unreachable");
  }

  call<const C extends Types>(func: Func<C>, ...operands: Operand[]): Results<C> {
    const start = this.#takeOperands(`call ${func.name}`, operands, func.params);
    this.#control("call", { bytes: unsigned(func.index), text: ` $${func.name}` });
    return this.#leaveAll(func.results, `call ${func.name}`, start);
  }

  /** `condition ? left : right`, both of them computed. */
  select<T extends ValueType>(left: Operand<T>, right: Operand<T>, condition: Operand<"i32">): Value<T> {
    const { type } = (typeof left === "object" ? left : right) as Local<T>;
    if (type === undefined) this.#refuse("select", "one of the two must be a variable or a value");
    const start = this.#takeOperands("select", [left, right, condition] as Operand[], [type, type, "i32"]);
    this.#control("select");
    return this.#leave(type, "select", start);
  }

  /** Takes a value from the stack that nothing needs. */
  drop(value: Value): void {
    this.#takeOperands("drop", [value], [value.type]);
    this.#control("drop");
  }

  /** Writes an instruction that finds all its operands on the stack. */
  emit<N extends InstructionName>(
    name: N,
    ...immediate: ImmediateArguments[Signatures[N]["immediate"]]
  ): void {
    this.#finish(opcodes[name], immediate);
  }

  /** For the module: writes the whole function. */
  write(body: () => BlockResult): void {
    this.#body("function", this.self.results, body);
    this.code.push({ name: "end", opcode: controlOpcodes.end, immediate: noImmediate });
  }

  #refuse(where: string, problem: string): never {
    throw new AssemblyError(`${this.self.name}: ${where}: ${problem}`);
  }

  #append(instruction: Instruction): void {
    const { leftBy } = this.#labels.at(-1)!;
    if (leftBy !== undefined) this.#refuse(instruction.name, `is never reached: it stands behind ${leftBy}`);
    this.code.push(instruction);
  }

  #control(name: keyof typeof controlOpcodes, immediate = noImmediate): void {
    this.#append({ name, opcode: controlOpcodes[name], immediate });
  }

  #leaveBlock(name: "br" | "return" | "unreachable", immediate?: Immediate): void {
    this.#control(name, immediate);
    this.#labels.at(-1)!.leftBy = name;
  }

  #instruction(opcode: Opcode, args: unknown[]): Value | undefined {
    const count = opcode.operands.length;
    this.#push(opcode.name, args.slice(0, count) as Operand[], opcode.operands);
    return this.#finish(opcode, args.slice(count));
  }

  /** Writes an instruction whose operands lie on the stack. */
  #finish(opcode: Opcode, args: unknown[]): Value | undefined {
    const { name, operands, result } = opcode;
    if (opcode.needsMemory && !this.#module.hasMemory) this.#refuse(name, "the module has no memory");
    const start = this.#take(name, operands);
    this.#append(this.#instructionOf(opcode, args));
    return result && this.#leave(result, name, start);
  }

  #instructionOf(opcode: Opcode, args: unknown[]): Instruction {
    try {
      return readInstruction(opcode, args);
    } catch (error) {
      return this.#refuse(opcode.name, (error as Error).message);
    }
  }

  /** Writes those operands that are not on the stack, each at its place. Those left out at the front are on it. */
  #push(where: string, operands: readonly Operand[], types: Types): void {
    const omitted = types.length - operands.length;
    if (omitted < 0) this.#refuse(where, `wants ${list(types)} but is given ${operands.length}`);
    let base = this.#stack.length;
    /** Whether a variable or number stands left of some value. */
    let isMixed = false;
    for (let i = operands.length - 1; i >= 0; i--) {
      if (!isValue(operands[i])) continue;
      if (this.#stack[--base] !== operands[i]) this.#refuse(where, NOT_ON_TOP);
      isMixed ||= i > 0 && !isValue(operands[i - 1]);
    }
    const values = this.#stack.length - base;
    if (isMixed) this.#insert(where, operands, types.slice(omitted));
    else
      for (let i = values; i < operands.length; i++)
        this.#put(where, operands[i] as Exclude<Operand, Value>, types[omitted + i]);
  }

  /** What stands left of a value has to come before it: takes the values' code off and puts it back after them. */
  #insert(where: string, operands: readonly Operand[], types: Types): void {
    const first = operands.findIndex((operand) => !isValue(operand));
    const moved = operands.slice(first).filter(isValue);
    if (moved.some(({ end }, i) => end !== (moved[i + 1]?.start ?? this.code.length))) {
      this.#refuse(where, "a variable or number stands left of a value behind which other code was written");
    }
    const origin = moved[0].start;
    const code = this.code.splice(origin);
    this.#stack.length -= moved.length;
    for (let i = first; i < operands.length; i++) {
      const operand = operands[i];
      if (!isValue(operand)) this.#put(where, operand, types[i]);
      else {
        for (let k = operand.start; k < operand.end; k++) this.code.push(code[k - origin]);
        this.#stack.push(operand);
      }
    }
  }

  /** Puts a variable or a number on the stack. */
  #put(where: string, value: Local | number | bigint, type: ValueType): void {
    if (typeof value === "object") this.get(value);
    else if (type === "v128" || typeof value !== (type === "i64" ? "bigint" : "number")) {
      this.#refuse(where, `wants ${type} but has ${typeof value} ${value}`);
    } else this.#finish(opcodes[`${type}.const`], [value]);
  }

  /** Takes operands from the stack; gives the place where their code begins. */
  #take(where: string, types: Types): number {
    const stack = this.#stack;
    const { height } = this.#labels.at(-1)!;
    const base = stack.length - types.length;
    let fits = base >= height;
    for (let i = 0; fits && i < types.length; i++) fits = stack[base + i].type === types[i];
    if (!fits) {
      const found = stack.slice(Math.max(base, height)).map(({ type, source }) => `${type} of ${source}`);
      this.#refuse(where, `wants ${list(types)} but finds ${list(found)}`);
    }
    const start = types.length > 0 ? stack[base].start : this.code.length;
    // Setting the length would make the engine look for memory to give back, at every instruction.
    for (let i = 0; i < types.length; i++) stack.pop();
    return start;
  }

  #takeOperands(where: string, operands: readonly Operand[], types: Types): number {
    this.#push(where, operands, types);
    return this.#take(where, types);
  }

  #leave<T extends ValueType>(type: T, source: string, start: number): Value<T> {
    const value = { type, source, start, end: this.code.length };
    this.#stack.push(value);
    return value;
  }

  #leaveAll<L extends Types>(types: L, source: string, start: number): Results<L> {
    const values = types.map((type) => this.#leave(type, source, start));
    return (values.length > 1 ? values : values[0]) as Results<L>;
  }

  #block<B extends Types>(
    kind: "block" | "loop" | "if",
    start: number,
    results: B | undefined,
    ...bodies: ((label: Label) => BlockResult)[]
  ): Results<B> {
    const types = results ?? [];
    this.#control(kind, this.#blockType(types));
    bodies.forEach((body, i) => {
      if (i > 0) this.#control("else");
      this.#body(kind, types, body);
    });
    this.#control("end");
    return this.#leaveAll(types, kind, start) as Results<B>;
  }

  /** 40 for no result, a type for one, the index of a function type without parameters for more. */
  #blockType(results: Types): Immediate {
    const [first] = results;
    if (first === undefined) return { bytes: [0x40], text: "" };
    const bytes = results.length === 1 ? [valueTypes[first]] : signed(this.#module.typeIndex([], results));
    return { bytes, text: ` (result ${results.join(" ")})` };
  }

  /** Writes what a block holds and checks that it leaves its results and nothing else. */
  #body(kind: Label["kind"], results: Types, body: (label: Label) => BlockResult): void {
    const label: Label = { kind, results, height: this.#stack.length };
    this.#labels.push(label);
    const returned = body(label);
    const where = `end of ${kind}`;
    if (label.leftBy === undefined || returned !== undefined) {
      this.#takeOperands(where, returned === undefined ? [] : [returned].flat(), results);
      const rest = this.#stack.slice(label.height).map(({ source }) => source);
      if (rest.length > 0) this.#refuse(where, `nothing has taken what ${list(rest)} left`);
    }
    this.#stack.length = label.height;
    this.#labels.pop();
  }

  #access(name: "local.get" | "local.set" | "local.tee", local: Local): void {
    if (this.variables[local.index] !== local) this.#refuse(local.name, "is a variable of another function");
    this.#control(name, { bytes: unsigned(local.index), text: ` $${local.name}` });
  }

  #depth(where: string, label: Label): Immediate {
    const level = this.#labels.indexOf(label);
    if (level < 0) this.#refuse(where, `goes to a ${label.kind} that is not around it`);
    const depth = this.#labels.length - 1 - level;
    return { bytes: unsigned(depth), text: ` ${depth}` };
  }
}

const NOT_ON_TOP = "an operand is not on top of the stack: it was used before, or another lies on it";

const list = (items: readonly string[]): string => (items.length === 0 ? "nothing" : items.join(", "));

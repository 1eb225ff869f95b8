// What instructions take and leave, as the TypeScript compiler sees it: typed locals and values, and one method for
// each row of the opcode table. So a wrong type is underlined in the editor before the builder refuses it.

import type { ImmediateArguments } from "./immediates.ts";
import { type InstructionName, type Opcode, opcodes, type Signatures, type ValueType } from "./opcodes.ts";

/** A variable of one function; zero until it is set. */
export interface Local<T extends ValueType = ValueType> {
  readonly type: T;
  readonly name: string;
  readonly index: number;
}

/** What an instruction has left on the stack, for one other to take. */
export interface Value<T extends ValueType = ValueType> {
  readonly type: T;
  /** The instruction that left it. */
  readonly source: string;
  /** Its code is the function's instructions from `start` to before `end`. */
  readonly start: number;
  readonly end: number;
}

type Constant<T extends ValueType> = T extends "v128" ? never : T extends "i64" ? bigint : number;

/** What may stand for an operand. A number becomes a constant of the type that is wanted. */
export type Operand<T extends ValueType = ValueType> = Local<T> | Value<T> | Constant<T>;

export const isValue = (operand: Operand): operand is Value =>
  typeof operand === "object" && "source" in operand;

/** What a call or a block leaves: nothing, one value, or a list of them. */
export type Results<R extends readonly ValueType[]> = R extends readonly []
  ? undefined
  : R extends readonly [infer T extends ValueType]
    ? Value<T>
    : { readonly [I in keyof R]: Value<R[I]> };

type Operands<T extends readonly unknown[]> = T extends [infer A extends ValueType]
  ? [operand: Operand<A>]
  : T extends [infer A extends ValueType, infer B extends ValueType]
    ? [left: Operand<A>, right: Operand<B>]
    : T extends [infer A extends ValueType, infer B extends ValueType, infer C extends ValueType]
      ? [first: Operand<A>, second: Operand<B>, third: Operand<C>]
      : [];

type Method<N extends InstructionName> = (
  ...args: [...Operands<Signatures[N]["operands"]>, ...ImmediateArguments[Signatures[N]["immediate"]]]
) => Signatures[N]["result"] extends infer T extends ValueType ? Value<T> : undefined;

type Methods<Path extends string, Rest extends string> = {
  readonly [Word in Rest extends `${infer Head}.${string}`
    ? Head
    : Rest]: `${Path}${Word}` extends InstructionName
    ? Method<`${Path}${Word}`>
    : Methods<`${Path}${Word}.`, Rest extends `${Word}.${infer Tail}` ? Tail : never>;
};

/** One method for each instruction of the table, grouped as the names are: `f32x4.mul`, `i32.atomic.rmw.add`. */
export type Instructions = Methods<"", InstructionName>;

type WriteInstruction = (opcode: Opcode, args: unknown[]) => Value | undefined;

/** What a function has of a name space; the methods are in the prototype. */
interface NameSpace {
  readonly write: WriteInstruction;
}

/** For each name space, outer ones first, the prototype with its methods: made once, since there are many. */
function nameSpaces(): [path: string[], prototype: object][] {
  const prototypes = new Map<string, object>();
  for (const opcode of Object.values(opcodes)) {
    const dot = opcode.name.lastIndexOf(".");
    const space = opcode.name.slice(0, dot);
    const prototype = prototypes.get(space) ?? {};
    prototypes.set(space, prototype);
    // Bound when it is read, so that a method works on its own: const { add, mul } = f.f32x4. And kept, since a kernel
    // reads the same few thousands of times.
    const word = opcode.name.slice(dot + 1);
    Object.defineProperty(prototype, word, {
      get(this: NameSpace) {
        const value = (...args: unknown[]) => this.write(opcode, args);
        Object.defineProperty(this, word, { value });
        return value;
      },
    });
  }
  return [...prototypes].map(([space, prototype]) => [space.split("."), prototype]);
}

const spaces = /* @__PURE__ */ nameSpaces();

/** The methods of one function; each hands its opcode and its arguments to `write`. */
export const InstructionMethods = class {
  constructor(write: WriteInstruction) {
    for (const [path, prototype] of spaces) {
      let outer = this as Record<string, unknown>;
      for (const word of path.slice(0, -1)) outer = outer[word] as Record<string, unknown>;
      outer[path.at(-1)!] = Object.assign(Object.create(prototype), { write });
    }
  }
} as new (
  write: WriteInstruction,
) => Instructions;

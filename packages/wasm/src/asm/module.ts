// Writes a module: a header, then the sections of the binary format in their order, each as its number, its length
// in bytes and a vector. Empty ones are left out.
//
//   00 61 73 6D  01 00 00 00     "\0asm", version 1
//    1 types       each signature once            5 memory      its size, unless it is imported
//    2 imports     functions and a memory         7 exports     names and what they stand for
//    3 functions   the type of each             10 code        the bodies
//
// Functions are numbered through, imported ones first; that is why they have to be declared first.

import { type Bytes, concat, name as nameBytes, sized, unsigned, vector } from "./encode.ts";
import { FunctionBuilder } from "./function.ts";
import type { Local } from "./instructions.ts";
import { type ValueType, valueTypes } from "./opcodes.ts";
import { AssemblyError, type BlockResult, type Func, type ModuleContext } from "./structure.ts";

/** The size of a memory, in pages of 64 KiB. A shared one needs a maximum. */
export interface MemorySize {
  readonly initial: number;
  readonly maximum?: number;
  readonly shared?: boolean;
}

/** What a function takes and returns. */
export interface Signature {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** Something that comes from outside, as `imports[module][name]`. */
export interface Import {
  readonly module: string;
  readonly name: string;
  /** A function, or else the memory. */
  readonly func?: Func;
}

/** Something that goes outside. */
export interface Export {
  readonly name: string;
  /** A function, or else the memory. */
  readonly func?: Func;
}

/**
 * Writes one module.
 *
 * @example
 * const m = new ModuleBuilder();
 * m.func("add", { params: { a: "i32", b: "i32" }, results: ["i32"] }, (f, { a, b }) => f.i32.add(a, b));
 * const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.build()));
 * const add = exports.add as (a: number, b: number) => number;
 * console.log(add(2, 3)); // 5
 */
export class ModuleBuilder implements ModuleContext {
  readonly imports: Import[] = [];
  readonly exports: Export[] = [];
  readonly functions: FunctionBuilder[] = [];
  memory: MemorySize | undefined;
  readonly #types: Signature[] = [];
  readonly #typeIndices = new Map<string, number>();

  get hasMemory(): boolean {
    return this.memory !== undefined;
  }

  /** Uses the memory `imports[module][name]`. It must be at least of this size, at most of this maximum. */
  importMemory(module: string, name: string, size: MemorySize): void {
    this.#setMemory(size);
    this.imports.push({ module, name });
  }

  /** Gives the module a memory of its own. */
  exportMemory(name: string, size: MemorySize): void {
    this.#setMemory(size);
    this.#export({ name });
  }

  /** Uses the function `imports[module][name]`. */
  importFunction<const R extends readonly ValueType[]>(
    module: string,
    name: string,
    { params, results }: { readonly params: readonly ValueType[]; readonly results: R },
  ): Func<R> {
    if (this.functions.length > 0)
      throw new AssemblyError(`${name}: must be imported before the first function`);
    const func = { name, index: this.#importedFunctions().length, params, results };
    this.imports.push({ module, name, func });
    return func;
  }

  /**
   * Writes a function. It is exported under its name unless `exported` is false.
   *
   * @param params types by name, in their order; `body` receives them as variables
   * @param results the types of what it returns; default: nothing
   * @param body writes the instructions; what it returns is what the function returns
   * @throws AssemblyError on the first instruction that WebAssembly would refuse
   */
  func<const P extends Readonly<Record<string, ValueType>>, const R extends readonly ValueType[] = []>(
    name: string,
    {
      params,
      results,
      exported = true,
    }: { readonly params: P; readonly results?: R; readonly exported?: boolean },
    body: (f: FunctionBuilder<R>, params: { readonly [K in keyof P]: Local<P[K]> }) => BlockResult,
  ): Func<R> {
    const index = this.#importedFunctions().length + this.functions.length;
    const func = { name, index, params: Object.values(params), results: (results ?? []) as R };
    const builder = new FunctionBuilder<R>(func, this);
    const locals = Object.entries(params).map(([param, type]) => [param, builder.local(param, type)]);
    this.functions.push(builder);
    if (exported) this.#export({ name, func });
    builder.write(() => body(builder, Object.fromEntries(locals)));
    return func;
  }

  /** The number of a signature among the module's types. */
  typeIndex(params: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${params}:${results}`;
    const index = this.#typeIndices.get(key) ?? this.#types.push({ params, results }) - 1;
    this.#typeIndices.set(key, index);
    return index;
  }

  /** The bytes of the module. */
  build(): Uint8Array<ArrayBuffer> {
    const { memory, imports, functions, exports } = this;
    const typeOf = ({ params, results }: Signature) => unsigned(this.typeIndex(params, results));
    const importItems = imports.map(({ module, name, func }) =>
      concat([
        nameBytes(module),
        nameBytes(name),
        func ? [0x00, ...typeOf(func)] : [0x02, ...sizeBytes(memory!)],
      ]),
    );
    const functionItems = functions.map(({ self }) => typeOf(self));
    const ownMemory = memory !== undefined && imports.every(({ func }) => func !== undefined);
    const exportItems = exports.map(({ name, func }) =>
      concat([nameBytes(name), func ? [0x00, ...unsigned(func.index)] : [0x02, 0]]),
    );
    // The types come last, when all of them are known.
    const typeItems = this.#types.map(({ params, results }) =>
      concat([[0x60], typeVector(params), typeVector(results)]),
    );
    return concat([
      [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      section(1, typeItems),
      section(2, importItems),
      section(3, functionItems),
      section(5, ownMemory ? [sizeBytes(memory)] : []),
      section(7, exportItems),
      section(10, functions.map(bodyBytes)),
    ]);
  }

  #importedFunctions(): Import[] {
    return this.imports.filter(({ func }) => func !== undefined);
  }

  #setMemory(size: MemorySize): void {
    const { initial, maximum = 65536, shared = false } = size;
    if (this.memory !== undefined) throw new AssemblyError("memory: the module has one already");
    if (shared && size.maximum === undefined) throw new AssemblyError("memory: a shared one needs a maximum");
    if (!(Number.isInteger(initial) && initial >= 0 && initial <= maximum && maximum <= 65536)) {
      throw new AssemblyError(
        `memory: wants 0 ≤ initial ≤ maximum ≤ 65536 pages but has ${initial} and ${maximum}`,
      );
    }
    this.memory = size;
  }

  #export(item: Export): void {
    if (this.exports.some(({ name }) => name === item.name))
      throw new AssemblyError(`${item.name}: is exported already`);
    this.exports.push(item);
  }
}

const section = (number: number, items: readonly Bytes[]): Bytes =>
  items.length === 0 ? [] : concat([[number], sized(vector(items))]);

const typeVector = (types: readonly ValueType[]): Bytes => vector(types.map((type) => [valueTypes[type]]));

/** A function's variables, in runs of one type, then its instructions. */
function bodyBytes({ self, variables, code }: FunctionBuilder): Bytes {
  const runs: { type: ValueType; count: number }[] = [];
  for (const { type } of variables.slice(self.params.length)) {
    const last = runs.at(-1);
    if (last?.type === type) last.count++;
    else runs.push({ type, count: 1 });
  }
  const declarations = vector(runs.map(({ type, count }) => [...unsigned(count), valueTypes[type]]));
  const length = code.reduce((sum, { opcode, immediate }) => sum + opcode.length + immediate.bytes.length, 0);
  const bytes = new Uint8Array(declarations.length + length);
  bytes.set(declarations);
  let at = declarations.length;
  for (const { opcode, immediate } of code) {
    for (let i = 0; i < opcode.length; i++) bytes[at++] = opcode[i];
    for (let i = 0; i < immediate.bytes.length; i++) bytes[at++] = immediate.bytes[i];
  }
  return sized(bytes);
}

/** Which limits follow and whether the memory is shared, then the limits. */
const sizeBytes = ({ initial, maximum, shared = false }: MemorySize): number[] => [
  (maximum === undefined ? 0 : 1) | (shared ? 2 : 0),
  ...unsigned(initial),
  ...(maximum === undefined ? [] : unsigned(maximum)),
];

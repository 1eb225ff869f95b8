// Counts the instructions of WebAssembly that a program executes: the same number on every machine, however busy.
//
// A stretch of instructions that are always executed together begins where a function, a block, a loop or a branch of an `if` does,
// or after a conditional branch. In front of each stretch its length is added to a cell of memory.

import { type Program, type Tensor, zeros } from "@saunet/core";
import type { AnyKernel } from "@saunet/core/kernels";
import { ModuleBuilder } from "../asm/index.ts";
import { instantiate, moduleOf } from "../compile.ts";
import { Arena } from "../memory.ts";
import { observe } from "../observe.ts";
import type { Plan } from "../plan.ts";
import { prepareInArena } from "../program.ts";
import { alone, type Compiled, Runner } from "../runner.ts";

type Code = ModuleBuilder["functions"][number]["code"];

/** The last instructions of a stretch. */
const ENDS: ReadonlySet<string> = new Set(["block", "loop", "if", "else", "end", "br", "br_if", "return"]);

/** `memory[cell] += count` */
function addition(cell: number, count: number): Code {
  const m = new ModuleBuilder();
  m.importMemory("env", "memory", { initial: 1 });
  m.func("add", { params: {} }, (f) => f.i64.store(cell, f.i64.add(f.i64.load(cell), BigInt(count))));
  return m.functions[0].code.slice(0, -1);
}

/** Instructions that add to a cell of memory how many of them are executed. */
export function counting(code: Code, cell: number): Code {
  const stretches: Code[] = [[]];
  for (const instruction of code) {
    stretches.at(-1)!.push(instruction);
    if (ENDS.has(instruction.name)) stretches.push([]);
  }
  return stretches.flatMap((stretch) =>
    stretch.length === 0 ? [] : [...addition(cell, stretch.length), ...stretch],
  );
}

/** Runs plans on one thread, in code that counts. */
class CountingRunner extends Runner {
  readonly #cell: number;
  readonly #code = new Map<string, Compiled & { readonly bytes: number }>();

  constructor(bytes: number) {
    super(new Arena(false, bytes), alone, { relaxed: false });
    this.#cell = this.arena.reserve(8);
  }

  override compile(kernel: AnyKernel, plan: Plan): Compiled {
    const known = this.#code.get(plan.key);
    if (known !== undefined) return known;
    const { memory, limit } = this.arena;
    const limits = { shared: false, maximum: limit / 65536 };
    const written = moduleOf(plan, Object.keys(kernel.roles), limits);
    const bytes = written.build().length;
    for (const { code } of written.functions) code.splice(0, code.length, ...counting(code, this.#cell));
    const made = {
      module: this.#code.size,
      code: instantiate(written.build(), memory),
      users: 0,
      isRehearsed: true,
      bytes,
    };
    this.#code.set(plan.key, made);
    return made;
  }

  /** Instructions since it was last asked. */
  take(): number {
    const cell = new BigInt64Array(this.arena.memory.buffer, this.#cell, 1);
    const count = Number(cell[0]);
    cell[0] = 0n;
    return count;
  }

  /** Bytes of all modules, without what counts. */
  get moduleBytes(): number {
    return [...this.#code.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }
}

/** What a program executes in its first run. */
export interface Counts {
  /** Bytes of all its modules. */
  readonly moduleBytes: number;
  readonly instructions: number;
  /** Of each generated kernel, and of each call of it in turn, in thousands. */
  readonly calls: Readonly<Record<string, readonly number[]>>;
}

/**
 * Runs a program once on zeros and counts.
 *
 * @param bytes of memory that it may take
 */
export function countInstructions(program: Program, bytes = 2 ** 31): Counts {
  const runner = new CountingRunner(bytes);
  const prepared = prepareInArena(runner, program);
  const inputs: Tensor[] = program.inputs.map(({ shape }) => zeros(shape));
  const byCall = new Map<number, { name: string; count: number }>();
  const note = ({ call, name }: { call: number; name: string }) => {
    const { count } = byCall.get(call) ?? { count: 0 };
    byCall.set(call, { name, count: count + runner.take() });
  };
  observe(note, () => prepared.runSync(inputs));
  const calls: Record<string, number[]> = {};
  let instructions = 0;
  for (const { name, count } of byCall.values()) {
    if (count === 0) continue;
    calls[name] = [...(calls[name] ?? []), Math.round(count / 1000)];
    instructions += count;
  }
  const counts = { moduleBytes: runner.moduleBytes, instructions, calls };
  prepared.free();
  return counts;
}

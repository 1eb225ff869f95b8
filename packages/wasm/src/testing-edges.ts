// Holds generated code to the bytes that it was given: for tests.
//
// Whatever a call touches is a block of one memory: its arrays and its scratch. Each block in turn ends with the last byte
// of memory, so that a load or a store which reaches one byte too far traps. Then each in turn begins with the first byte,
// so that one which begins too early traps. WebAssembly's loads need no alignment, so blocks of any length can lie there.

import type { Arrays, FlatArray, Role } from "@saunet/core/kernels";
import { instantiate, moduleOf, type PhaseFunction } from "./compile.ts";
import { alignToLine } from "./memory.ts";
import type { CodeFeatures, Generator, Plan } from "./plan.ts";
import { lengthsOf } from "./runner.ts";

const PAGES = 1024;
/** Every call works here; pages that nobody touches cost nothing. */
const memory = /* @__PURE__ */ new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
const BYTES = PAGES * 65536;

/** What lies where nobody has written, in every byte: NaN, and 4.4e-5. */
const JUNK = [0xff, 0x38];

/** The code of plans that are looked at more than once: to assemble it takes longer than to run it. */
const assembled = new WeakMap<Plan, Uint8Array<ArrayBuffer>>();

/** The bytes of a plan's module, as {@link checkEdges} runs it; assembled once for each plan. */
export function codeOf({ kernel }: Generator, plan: Plan): Uint8Array<ArrayBuffer> {
  const bytes =
    assembled.get(plan) ??
    moduleOf(plan, Object.keys(kernel.roles), { shared: false, maximum: PAGES }).build();
  assembled.set(plan, bytes);
  return bytes;
}

/** Something whose address the code is given. */
interface Block {
  readonly name: string;
  readonly bytes: number;
  /** Of an array. */
  readonly role?: Role;
  readonly array?: FlatArray;
}

/**
 * Runs a generator's code with its shared scratch, its own scratch and each of its arrays in turn at the end and at the
 * start of memory.
 *
 * @param arrays inputs with their values; outputs with any values, of the right length
 * @param found the generator's plan of this call with these features, where the caller has it
 * @returns the plan; `undefined` where the portable form is to run
 * @throws Error where the code traps, changes what it may only read, or gives other numbers in another place or over
 *   other junk; names the plan and the block
 */
export function checkEdges(
  generator: Generator,
  arrays: Arrays,
  dims: unknown,
  features: CodeFeatures = { relaxed: false },
  found = generator.plan(dims, lengthsOf(generator.kernel, arrays), features),
): Plan | undefined {
  if (found === undefined) return undefined;
  const { kernel } = generator;
  const names = Object.keys(kernel.roles);
  const code = instantiate(codeOf(generator, found), memory);
  const blocks: Block[] = [
    { name: "shared scratch", bytes: found.sharedBytes ?? 0 },
    { name: "own scratch", bytes: found.ownBytes ?? 0 },
    ...names.map((name) => ({
      ...{ name, bytes: arrays[name]?.byteLength ?? 0 },
      ...(arrays[name] && { role: kernel.roles[name], array: arrays[name] }),
    })),
  ];
  const turns = (["end", "start"] as const).flatMap((side) =>
    blocks.filter(({ bytes }) => bytes > 0).map((block) => ({ side, block })),
  );
  let wanted: readonly (FlatArray | undefined)[] | undefined;
  turns.forEach(({ side, block }, turn) => {
    const where = `${found.name}, ${block.name} at the ${side} of memory`;
    const addresses = place(blocks, block, side, JUNK[turn % JUNK.length]);
    try {
      run(found, code, addresses);
    } catch (error) {
      throw new Error(`${where}: ${(error as Error).message}`);
    }
    const results = blocks.map(({ array }, i) => array && arrayAt(addresses[i], array).slice());
    wanted ??= blocks.map(({ role, array }, i) => (role === "read" ? array : results[i]));
    results.forEach((result, i) => {
      const at = result === undefined ? -1 : differenceOf(result, wanted![i]!);
      if (at >= 0)
        throw new Error(`${where}: ${blocks[i].name}[${at}] is ${result![at]} instead of ${wanted![i]![at]}`);
    });
  });
  return found;
}

/** Lays all blocks out over junk, one of them at an end of memory; gives their addresses. */
function place(blocks: readonly Block[], edge: Block, side: "end" | "start", junk: number): number[] {
  const atStart = side === "start" ? edge.bytes : 0;
  let next = alignToLine(atStart + 1);
  const addresses = blocks.map((block) => {
    // Nothing may be touched of what is absent or empty.
    if (block.bytes === 0) return BYTES;
    if (block === edge) return side === "start" ? 0 : BYTES - block.bytes;
    const address = next;
    next = alignToLine(address + block.bytes + 1);
    return address;
  });
  const all = new Uint8Array(memory.buffer);
  if (next > BYTES - edge.bytes) throw new RangeError(`${next} bytes do not fit`);
  all.fill(junk, 0, next);
  if (side === "end") all.fill(junk, BYTES - edge.bytes);
  blocks.forEach(({ role, array }, i) => {
    if (array !== undefined && role !== "write") arrayAt(addresses[i], array).set(array);
  });
  return addresses;
}

/** Runs all phases, the items of each in two ranges. */
function run({ phases }: Plan, code: readonly PhaseFunction[], [shared, own, ...arrays]: number[]): void {
  phases.forEach(({ items }, i) => {
    const half = Math.ceil(items / 2);
    if (half > 0) code[i](0, half, shared, own, ...arrays);
    if (half < items) code[i](half, items, shared, own, ...arrays);
  });
}

function arrayAt(address: number, like: FlatArray): FlatArray {
  return new (like.constructor as Float32ArrayConstructor)(memory.buffer, address, like.length);
}

/** Where two arrays differ first; -1 where they do not. One NaN is like another. */
function differenceOf(a: FlatArray, b: FlatArray): number {
  const isSame = Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(
    Buffer.from(b.buffer, b.byteOffset, b.byteLength),
  );
  return isSame ? -1 : a.findIndex((value, i) => !Object.is(value, b[i]));
}

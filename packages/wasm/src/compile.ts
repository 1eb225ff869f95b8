// From a plan to running code: one module a plan, whose functions are the plan's phases.
//
// Every phase has the same form, so whoever runs it need not know it:
//   phaseK(from, to, shared, own, array0, array1, …)   arrays in the order of the kernel's roles

import type { Local } from "./asm/index.ts";
import { ModuleBuilder } from "./asm/index.ts";
import type { LinearMemory } from "./memory.ts";
import type { Plan } from "./plan.ts";

/** A phase in machine code. */
export type PhaseFunction = (
  from: number,
  to: number,
  shared: number,
  own: number,
  ...arrays: number[]
) => void;

/**
 * The module of a plan: it exports `phase0`, `phase1` …
 *
 * @param arrays names of the kernel's arrays, in the order of its roles
 * @param memory limits of the memory that the module imports as `env.memory`
 */
export function moduleOf(
  plan: Plan,
  arrays: readonly string[],
  memory: { readonly shared: boolean; readonly maximum: number },
): ModuleBuilder {
  const m = new ModuleBuilder();
  m.importMemory("env", "memory", { initial: 1, ...memory });
  plan.phases.forEach(({ write }, i) => {
    const params = { from: "i32", to: "i32", shared: "i32", own: "i32" } as const;
    const addresses = Object.fromEntries(arrays.map((name) => [`${name}_`, "i32" as const]));
    m.func(`phase${i}`, { params: { ...params, ...addresses } }, (f, locals) => {
      const { from, to, shared, own, ...byName } = locals as Record<string, Local<"i32">>;
      const arraysAt = Object.fromEntries(arrays.map((name) => [name, byName[`${name}_`]]));
      write(f, { from, to, shared, own, arrays: arraysAt });
    });
  });
  return m;
}

/** Makes assembled bytes run in a memory. */
export function instantiate(bytes: Uint8Array<ArrayBuffer>, memory: LinearMemory): PhaseFunction[] {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    env: { memory: memory as WebAssembly.Memory },
  });
  return Object.keys(exports).map((_, i) => exports[`phase${i}`] as PhaseFunction);
}

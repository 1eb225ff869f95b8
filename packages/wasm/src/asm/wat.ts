// Writes a module as text (WAT), one instruction a line, blocks indented: for reading, for documentation and for
// tests that fail. It says what the bytes say; assemblers of the text format read it.

import type { FunctionBuilder } from "./function.ts";
import type { ModuleBuilder, Signature } from "./module.ts";

/**
 * A module, or one of its functions, as text.
 *
 * @example
 * const m = new ModuleBuilder();
 * m.func("twice", { params: { x: "f32" }, results: ["f32"] }, (f, { x }) => f.f32.add(x, x));
 * console.log(toWat(m));
 * // (module
 * //   (func $twice (param $x f32) (result f32)
 * //     local.get $x
 * //     local.get $x
 * //     f32.add)
 * //   (export "twice" (func $twice)))
 */
export function toWat(written: ModuleBuilder | FunctionBuilder): string {
  return close("functions" in written ? moduleLines(written) : functionLines(written)).join("\n");
}

function moduleLines({ imports, memory, functions, exports }: ModuleBuilder): string[] {
  const size =
    memory && [memory.initial, memory.maximum ?? [], memory.shared ? "shared" : []].flat().join(" ");
  const lines = imports.map(({ module, name, func }) => {
    const what = func ? `func $${func.name}${signature(func)}` : `memory ${size}`;
    return `(import ${quote(module)} ${quote(name)} (${what}))`;
  });
  if (memory !== undefined && imports.every(({ func }) => func !== undefined)) lines.push(`(memory ${size})`);
  for (const builder of functions) lines.push(...close(functionLines(builder)));
  for (const { name, func } of exports)
    lines.push(`(export ${quote(name)} (${func ? `func $${func.name}` : "memory 0"}))`);
  return ["(module", ...lines.map((line) => `  ${line}`)];
}

function functionLines({ self, variables, code }: FunctionBuilder): string[] {
  const params = variables.slice(0, self.params.length).map(({ name, type }) => ` (param $${name} ${type})`);
  const lines = [`(func $${self.name}${params.join("")}${signature({ params: [], results: self.results })}`];
  for (const { name, type } of variables.slice(self.params.length)) lines.push(`  (local $${name} ${type})`);
  let depth = 1;
  for (const { name, immediate } of code.slice(0, -1)) {
    if (name === "end" || name === "else") depth--;
    lines.push("  ".repeat(depth) + name + immediate.text);
    if (["block", "loop", "if", "else"].includes(name)) depth++;
  }
  return lines;
}

const close = (lines: readonly string[]): string[] => [...lines.slice(0, -1), `${lines.at(-1)})`];

const quote = (name: string): string => JSON.stringify(name);

const signature = ({ params, results }: Signature): string =>
  (params.length > 0 ? ` (param ${params.join(" ")})` : "") +
  (results.length > 0 ? ` (result ${results.join(" ")})` : "");

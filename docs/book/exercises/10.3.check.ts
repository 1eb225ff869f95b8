import { ModuleBuilder } from "@saunet/wasm/asm";
import { expectNumber } from "../../../scripts/book/expect.ts";
import type { writeNorm } from "./10.3.ts";

export function check(answer: typeof writeNorm): void {
  const m = new ModuleBuilder();
  answer(m);
  const { norm } = new WebAssembly.Instance(new WebAssembly.Module(m.build())).exports;
  if (typeof norm !== "function") throw new Error("the module must export a function norm");
  expectNumber("norm(3, 4)", norm(3, 4), 5);
  expectNumber("norm(1, 0)", norm(1, 0), 1);
  expectNumber("norm(-5, 12)", norm(-5, 12), 13);
}

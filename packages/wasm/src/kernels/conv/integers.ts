// Many integers by name.

import type { FunctionBuilder, Local } from "../../asm/index.ts";

/** Declares integer variables: `const { x, end } = integers(f, "x", "end")`. */
export function integers<N extends string>(
  f: FunctionBuilder,
  ...names: readonly N[]
): { readonly [K in N]: Local<"i32"> } {
  return Object.fromEntries(names.map((name) => [name, f.local(name, "i32")])) as {
    readonly [K in N]: Local<"i32">;
  };
}

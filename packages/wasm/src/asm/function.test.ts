// What WebAssembly would refuse is refused while it is being written, in words.

import { describe, expect, test } from "vitest";
import type { FunctionBuilder } from "./function.ts";
import { AssemblyError, type Label, type Local, ModuleBuilder, type Operand } from "./index.ts";
import type { BlockResult } from "./structure.ts";

interface Variables {
  readonly i: Local<"i32">;
  readonly x: Local<"f32">;
  readonly v: Local<"v128">;
}

/** Writes the function `f`, `(i: i32, x: f32, v: v128) → i32`, in a module with a memory. */
function write(body: (f: FunctionBuilder<["i32"]>, variables: Variables) => BlockResult): void {
  const m = new ModuleBuilder();
  m.importMemory("env", "memory", { initial: 1 });
  m.func("f", { params: { i: "i32", x: "f32", v: "v128" }, results: ["i32"] }, body);
}

/** For programs that the TypeScript compiler refuses already. */
const untyped = (operand: unknown): never => operand as never;

const refusals: Record<string, [body: Parameters<typeof write>[0], message: string]> = {
  "too few operands": [
    (f, { i }) => {
      f.get(i);
      f.emit("i32.add");
    },
    "f: i32.add: wants i32, i32 but finds i32 of local.get",
  ],
  "an operand from outside the block": [
    (f, { i }) => {
      f.get(i);
      f.block(() => f.emit("i32.eqz"));
    },
    "f: i32.eqz: wants i32 but finds nothing",
  ],
  "a variable of the wrong type": [
    (f, { i, x }) => f.i32.add(i, untyped(x)),
    "f: i32.add: wants i32, i32 but finds i32 of local.get, f32 of local.get",
  ],
  "a value of the wrong type": [
    (f, { i, x }) => f.set(i, untyped(f.f32.neg(x))),
    "f: local.set: wants i32 but finds f32 of f32.neg",
  ],
  "a number for a vector": [
    (f, { v }) => f.f32x4.add(v, untyped(1)) as never,
    "f: f32x4.add: wants v128 but has number 1",
  ],
  "a number for 64 bits": [(f) => f.i64.eqz(untyped(1)), "f: i64.eqz: wants i64 but has number 1"],
  "no operand at all": [
    (f, { i }) => f.i32.add(i, untyped(undefined)),
    "f: i32.add: wants i32 but has undefined",
  ],
  "a constant that is no integer": [
    (f, { i }) => f.i32.add(i, 0.5),
    "f: i32.const: value must be an integer from -2147483648 to 4294967295 but is 0.5",
  ],
  "a value used twice": [
    (f, { i }) => {
      const sum = f.i32.add(i, 1);
      return f.i32.mul(sum, sum);
    },
    "f: i32.mul: an operand is not on top of the stack: it was used before, or another lies on it",
  ],
  "values in another order than they were written in": [
    (f, { i }) => {
      const [one, two] = [f.i32.add(i, 1), f.i32.add(i, 2)];
      return f.i32.sub(two, one);
    },
    "f: i32.sub: an operand is not on top of the stack",
  ],
  "a variable left of a value behind which it may have changed": [
    (f, { i }) => {
      const sum = f.i32.add(i, 1);
      f.set(i, 5);
      return f.i32.sub(i, sum);
    },
    "f: i32.sub: a variable or number stands left of a value behind which other code was written",
  ],
  "too many operands": [
    (f, { i }) => f.call(f.self, i, 1, i, i),
    "f: call f: wants i32, f32, v128 but is given 4",
  ],
  "a value that nothing takes": [
    (f, { i }) => {
      f.block(() => {
        f.i32.add(i, 1);
      });
      return i;
    },
    "f: end of block: nothing has taken what i32.add left",
  ],
  "a value below the result": [
    (f, { i }) => {
      f.i32.add(i, 1);
      return i;
    },
    "f: end of function: nothing has taken what i32.add left",
  ],
  "a missing result": [() => {}, "f: end of function: wants i32 but finds nothing"],
  "a result of the wrong type": [
    (_f, { x }) => x,
    "f: end of function: wants i32 but finds f32 of local.get",
  ],
  "a result that nobody wants": [
    (f, { i }) => f.block(() => i) as never,
    "f: end of block: wants nothing but is given 1",
  ],
  "a missing result of one branch": [
    (f, { i }) =>
      f.if(
        i,
        () => 1,
        () => {},
        ["i32"],
      ),
    "f: end of if: wants i32 but finds nothing",
  ],
  "a result without the other branch": [
    (f, { i }) => f.if(i, () => 1, undefined, ["i32"]),
    "f: if: with results it needs both branches",
  ],
  "a variable of another function": [
    (_f, { i }) => {
      const m = new ModuleBuilder();
      m.func("g", { params: { j: "i32" } }, (g, { j }) => g.set(j, i));
    },
    "g: i: is a variable of another function",
  ],
  "a label that is not around": [
    (f, { i }) => {
      let outside: Label | undefined;
      f.loop((again) => {
        outside = again;
      });
      f.brIf(outside!, i);
      return i;
    },
    "f: br_if: goes to a loop that is not around it",
  ],
  "a label that is not around, without a condition": [
    (f, { i }) => {
      let outside: Label | undefined;
      f.block((end) => {
        outside = end;
      });
      f.br(outside!);
      return i;
    },
    "f: br: goes to a block that is not around it",
  ],
  "a condition on the way to results": [
    (f, { i }) => f.block((end) => f.brIf(end, i), ["i32"]),
    "f: br_if: its label must not have results",
  ],
  "code behind a branch": [
    (f, { i }) => {
      f.block((end) => {
        f.br(end);
        f.set(i, 1);
      });
      return i;
    },
    "f: i32.const: is never reached: it stands behind br",
  ],
  "a choice between two numbers": [
    (f, { i }) => f.select(1, 2, i) as Operand<"i32">,
    "f: select: one of the two must be a variable or a value",
  ],
  "an alignment above the width": [
    (f, { i }) => f.i32.load(i, { align: 8 }),
    "f: i32.load: align must be a power of two up to 4 but is 8",
  ],
  "an alignment that is no power of two": [
    (f, { i }) => f.set(f.local("w", "v128"), f.v128.load(i, { align: 12 })),
    "f: v128.load: align must be a power of two up to 16 but is 12",
  ],
  "an atomic access that is not aligned": [
    (f, { i }) => f.i32.atomic.load(i, { align: 2 }),
    "f: i32.atomic.load: align must be 4 but is 2",
  ],
  "a negative offset": [
    (f, { i }) => f.i32.load(i, { offset: -4 }),
    "f: i32.load: offset must be an integer from 0 to 4294967295 but is -4",
  ],
  "a lane that is not there": [
    (f, { v }) => f.i32x4.extract_lane(v, 4),
    "f: i32x4.extract_lane: lane must be an integer from 0 to 3 but is 4",
  ],
  "a lane of memory that is not there": [
    (f, { i, v }) => f.v128.store64_lane(i, v, 2),
    "f: v128.store64_lane: lane must be an integer from 0 to 1 but is 2",
  ],
  "a shuffle of too few lanes": [
    (f, { v }) => f.set(v, f.i8x16.shuffle(v, v, [0, 1, 2, 3])),
    "f: i8x16.shuffle: number of lanes must be an integer from 16 to 16 but is 4",
  ],
  "a vector of too many numbers": [
    (f, { v }) => f.set(v, f.v128.const("f64x2", 1, 2, 3)),
    "f: v128.const: number of lanes must be an integer from 2 to 2 but is 3",
  ],
};

describe("a function with", () => {
  test.each(Object.entries(refusals))("%s is refused", (_what, [body, message]) => {
    expect(() => write(body)).toThrow(AssemblyError);
    expect(() => write(body)).toThrow(message);
  });
});

describe("a module with", () => {
  test("memory instructions but no memory is refused", () => {
    const m = new ModuleBuilder();
    expect(() => m.func("f", { params: { p: "i32" } }, (f, { p }) => f.f32.store(p, 1))).toThrow(
      "f: f32.store: the module has no memory",
    );
    expect(() => m.func("g", { params: {}, results: ["i32"] }, (f) => f.memory.size())).toThrow(
      "g: memory.size: the module has no memory",
    );
  });

  test("two memories, or one of an impossible size, is refused", () => {
    const m = new ModuleBuilder();
    expect(() => m.importMemory("env", "memory", { initial: 1, shared: true })).toThrow(
      "memory: a shared one needs a maximum",
    );
    for (const [initial, maximum] of [
      [-1, 1],
      [2, 1],
      [1, 65537],
      [0.5, 1],
    ] as const) {
      expect(() => m.exportMemory("memory", { initial, maximum })).toThrow(
        `memory: wants 0 ≤ initial ≤ maximum ≤ 65536 pages but has ${initial} and ${maximum}`,
      );
    }
    m.exportMemory("memory", { initial: 1 });
    expect(() => m.importMemory("env", "memory", { initial: 1 })).toThrow(
      "memory: the module has one already",
    );
  });

  test("two exports of one name is refused", () => {
    const m = new ModuleBuilder();
    m.func("f", { params: {} }, () => {});
    expect(() => m.func("f", { params: {} }, () => {})).toThrow("f: is exported already");
  });

  test("an import behind a function is refused", () => {
    const m = new ModuleBuilder();
    m.func("f", { params: {} }, () => {});
    expect(() => m.importFunction("env", "log", { params: [], results: [] })).toThrow(
      "log: must be imported before the first function",
    );
  });
});

test("a block that a branch leaves with its results needs none at its end, nor does what returns", () => {
  const m = new ModuleBuilder();
  m.func("larger", { params: { a: "i32", b: "i32" }, results: ["i32"] }, (f, { a, b }) =>
    f.if(
      f.i32.gt_s(a, b),
      (end) => f.br(end, a),
      () => f.return(b),
      ["i32"],
    ),
  );
  const { larger } = new WebAssembly.Instance(new WebAssembly.Module(m.build())).exports;
  const call = larger as (a: number, b: number) => number;
  expect([call(3, 2), call(2, 3), call(-1, -1)]).toEqual([3, 3, -1]);
});

test("lanes of bytes are written with a sign or without", () => {
  const m = new ModuleBuilder();
  m.func("f", { params: {}, results: ["i32"] }, ({ i32, i8x16, v128 }) =>
    i32.add(
      i8x16.extract_lane_s(v128.const("i8x16", -128), 3),
      i8x16.extract_lane_s(v128.const("i8x16", 255), 3),
    ),
  );
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(m.build())).exports;
  expect((f as () => number)()).toBe(-129);
});

import { type Floats, kernel } from "@saunet/core/kernels";
import { expect, test } from "vitest";
import { generator, type Phase, type Plan } from "./plan.ts";
import { checkEdges } from "./testing-edges.ts";

type CopyArrays = { y: Floats; x: Floats };
type Write = Phase<CopyArrays>["write"];

const copy = kernel("copy", { y: "write", x: "read" }, ({ y, x }: CopyArrays) => y.set(x));

/** Checks code for a copy of four floats. */
function check(write: Write, scratch: Pick<Plan, "sharedBytes" | "ownBytes"> = {}): unknown {
  const phases = [{ items: 1, write }];
  const code = generator(copy, () => ({ name: "copy", key: "copy", phases, ...scratch }));
  return checkEdges(code, { y: new Float32Array(4), x: Float32Array.of(1, 2, 3, 4) }, undefined);
}

const right: Write = ({ v128 }, { arrays: { x, y } }) => v128.store(y, v128.load(x));

const throughScratch: Write = ({ f32, v128 }, { shared, own, arrays: { x, y } }) => {
  v128.store(shared, v128.load(x));
  f32.store(own, 1);
  v128.store(y, v128.load(shared));
};

test("code that keeps to its arrays and its scratch passes", () => {
  expect(check(right)).toMatchObject({ name: "copy" });
  expect(check(throughScratch, { sharedBytes: 16, ownBytes: 4 })).toMatchObject({ name: "copy" });
});

test.each<[string, Write, string]>([
  [
    "reads a byte too far",
    (f, { arrays: { x } }) => f.drop(f.i32.load8_u(x, { offset: 16 })),
    "x at the end",
  ],
  [
    "reads a vector of three",
    (f, { arrays: { x } }) => f.drop(f.v128.load(x, { offset: 4 })),
    "x at the end",
  ],
  ["reads too early", (f, { arrays: { x } }) => f.drop(f.f32.load(f.i32.sub(x, 4))), "x at the start"],
  ["writes too far", ({ f32 }, { arrays: { y } }) => f32.store(y, 1, { offset: 16 }), "y at the end"],
  ["writes too early", ({ f32, i32 }, { arrays: { y } }) => f32.store(i32.sub(y, 4), 1), "y at the start"],
  ["reads what nobody wrote", ({ v128 }, { arrays: { y } }) => v128.store(y, v128.load(y)), "y[0] is"],
  [
    "changes what it may only read",
    ({ f32 }, { arrays: { x } }) => f32.store(x, 5),
    "x[0] is 5 instead of 1",
  ],
  ["has no shared scratch", (f, { shared }) => f.drop(f.f32.load(shared)), "out of bounds"],
  ["has no scratch of its own", (f, { own }) => f.drop(f.f32.load(own)), "out of bounds"],
])("code that %s fails", (_, wrong, message) => {
  const both: Write = (f, locals) => {
    if (message !== "y[0] is") right(f, locals);
    wrong(f, locals);
  };
  expect(() => check(both)).toThrow(message);
});

test.each([
  ["shared", { sharedBytes: 15, ownBytes: 4 }],
  ["own", { sharedBytes: 16, ownBytes: 3 }],
])("code that asks for too little %s scratch fails", (which, scratch) => {
  expect(() => check(throughScratch, scratch)).toThrow(`${which} scratch at the end of memory`);
});

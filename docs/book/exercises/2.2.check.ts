import { add, tensor } from "@saunet/core";
import { expectNumbers } from "../../../scripts/book/expect.ts";
import type { addBias } from "./2.2.ts";

export function check(answer: typeof addBias): void {
  const x = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i));
  const b = Float32Array.of(1, -2, 0.5);
  const [xBefore, bBefore] = [x.slice(), b.slice()];
  const y = new Float32Array(24).fill(Number.NaN);
  answer(y, x, b);
  expectNumbers("y", y, add(tensor(xBefore, [8, 3]), tensor(bBefore)).data);
  expectNumbers("x after the call", x, xBefore);
  expectNumbers("b after the call", b, bBefore);
}

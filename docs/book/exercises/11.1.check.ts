import { conv2d, tensor } from "@saunet/core";
import { expectNumbers } from "../../../scripts/book/expect.ts";
import type { f23 } from "./11.1.ts";

export function check(answer: typeof f23): void {
  for (const [d, g] of [
    [
      [58, 45, 42, 52],
      [1, -2, 1],
    ],
    [
      [3, 1, -4, 2],
      [0.5, 2, -1],
    ],
  ]) {
    let count = 0;
    const times = (a: number, b: number): number => {
      count++;
      return a * b;
    };
    const came = answer(d, g, times);
    const wanted = conv2d(tensor(d, [1, 1, 4, 1]), tensor(g, [1, 3, 1, 1]), undefined, { padding: "valid" });
    expectNumbers(`the outputs of d = [${d}], g = [${g}]`, came, wanted.data);
    if (count < 1 || count > 4) throw new Error(`times must be called 1 to 4 times but was called ${count}`);
  }
}

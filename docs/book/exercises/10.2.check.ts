import { matmul, tensor } from "@saunet/core";
import { expectNumber, expectNumbers } from "../../../scripts/book/expect.ts";
import type { tileOf2x2 } from "./10.2.ts";

export function check(answer: typeof tileOf2x2): void {
  const K = 9;
  const [a, b] = [Math.sin, Math.cos].map((of) => Array.from({ length: 2 * K }, (_, i) => of(i)));
  let loads = 0;
  const watched = (values: number[]): number[] =>
    new Proxy(values, {
      get(target, name) {
        if (typeof name === "string" && /^\d+$/.test(name)) loads++;
        return Reflect.get(target, name) as unknown;
      },
    });
  const y = answer(watched(a), watched(b), K);
  expectNumbers("the product", y, matmul(tensor(a, [2, K]), tensor(b, [K, 2])).data);
  expectNumber(`the number of loads for ${4 * K} products`, loads, 4 * K);
}

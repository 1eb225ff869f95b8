import { winograd } from "../../../packages/wasm/src/kernels/conv/bilinear.ts";
import { expectNumbers } from "../../../scripts/book/expect.ts";
import type { rowOfG } from "./11.2.ts";

export function check(answer: typeof rowOfG): void {
  for (const points of [
    [0, 1, -1],
    [0, 1, -1, 2, -2],
    [0, 1, -1, 2, -2, 0.5, -0.5],
  ]) {
    const { input, filter, output } = winograd(points.length - 1, 3, points);
    points.forEach((p, i) => {
      const others = points.filter((q) => q !== p);
      // The engine divides some rows of G by what it multiplies the other two matrices by. Without that, the highest coefficient
      // of the product of x - q is 1, and so is the power of p that a column of A begins with.
      const factor = input[i].at(-2)! * output[0][i];
      const wanted = filter[i].map((value) => value * factor);
      expectNumbers(`rowOfG(${p}, [${others}])`, answer(p, others), wanted);
    });
  }
}

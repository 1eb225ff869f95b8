import { winograd } from "../../../packages/wasm/src/kernels/conv/bilinear.ts";
import { expectNumbers } from "../../../scripts/book/expect.ts";
import type { rowOfG } from "./11.2.ts";

export function check(answer: typeof rowOfG): void {
  for (const points of [
    [0, 1, -1],
    [0, 1, -1, 2, -2],
    [0, 1, -1, 2, -2, 0.5, -0.5],
  ]) {
    const { filter } = winograd(points.length - 1, 3, points);
    points.forEach((p, i) => {
      const others = points.filter((q) => q !== p);
      expectNumbers(`rowOfG(${p}, [${others}])`, answer(p, others), filter[i]);
    });
  }
}

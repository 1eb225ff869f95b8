import { tensor } from "@saunet/core";
import { gradcheck } from "@saunet/core/testing";
import { expectNumbers } from "../../../scripts/book/expect.ts";
import type { cube } from "./4.2.ts";

export function check(answer: typeof cube): void {
  expectNumbers("cube of [1, -2, 0.5]", answer(tensor([1, -2, 0.5])).data, [1, -8, 0.125]);
  gradcheck(([x]) => answer(x), [tensor([0.5, -1.5, 2])]);
}

import { conv2d, tensor } from "@saunet/core";
import { expectNumber } from "../../../scripts/book/expect.ts";
import { patch } from "../eye.ts";
import type { windowSum } from "./3.1.ts";

export function check(answer: typeof windowSum): void {
  const filter = [
    [1, 0, -3],
    [2, 5, -2],
    [4, -1, 0],
  ];
  const picture = patch();
  const wanted = conv2d(
    tensor(picture.flat(), [1, 5, 5, 1]),
    tensor(filter.flat(), [3, 3, 1, 1]),
    undefined,
    {
      padding: "valid",
    },
  ).data;
  for (let row = 0; row < 3; row++)
    for (let column = 0; column < 3; column++)
      expectNumber(
        `the window at row ${row}, column ${column}`,
        answer(picture, filter, row, column),
        wanted[row * 3 + column],
      );
}

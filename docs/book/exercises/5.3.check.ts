import type { isAdjoint } from "./5.3.ts";

const pad = (x: readonly number[]) => [0, ...x, 0];
const cutOff = (y: readonly number[]) => y.slice(1, -1);
const repeat = ([x]: readonly number[]) => [x, x, x];
const add = (y: readonly number[]) => [y.reduce((sum, value) => sum + value, 0)];
const mean = (y: readonly number[]) => [add(y)[0] / y.length];

export function check(answer: typeof isAdjoint): void {
  const right =
    answer(pad, cutOff, [1, 2, 3], [4, 5, 6, 7, 8]) && answer(repeat, add, [0.1], [0.2, 0.3, 0.7]);
  if (right !== true) throw new Error("cutting off is the adjoint of padding, and the sum that of repeating");
  if (answer(repeat, mean, [2], [1, 2, 4]) !== false)
    throw new Error("the mean is not the adjoint of repeating");
}

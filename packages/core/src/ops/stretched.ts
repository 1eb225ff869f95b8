// What elementwise operators of several operands share: the gradient of an operand that was stretched is summed back
// to the operand's own shape.

import { contribute, pass } from "../autograd.ts";
import { type Walk, walkOver } from "../broadcast.ts";
import { type Shape, sizeOf } from "../shape.ts";
import { allocate, type Tensor } from "../tensor.ts";
import { stretchForward, sumForward } from "./sum.ts";

/** The step of each array along the innermost axis of a walk. */
export function innerSteps(walk: Walk): [number, number, number, number] {
  return walk.strides.map((own) => own.at(-1)!) as [number, number, number, number];
}

/** Gives `input` a gradient that `write` computes in the (possibly larger) shape of the result. */
export function contributeStretched(
  input: Tensor,
  shape: Shape,
  write: (gradient: Float32Array) => void,
): void {
  contribute([input], (own) => {
    const walk = walkOver(shape, [shape, input.shape]);
    const stretched = walk.strides[1].includes(0);
    const gradient = stretched ? allocate(sizeOf(shape)) : own;
    write(gradient);
    if (stretched) sumForward({ out: own, x: gradient }, { walk, scale: 1 });
  });
}

/** Hands the gradient of the result to `input`, summed over whatever `input` was stretched along. */
export function passStretched(input: Tensor, shape: Shape, gradient: Float32Array, scale: 1 | -1): void {
  const walk = walkOver(shape, [shape, input.shape]);
  if (walk.strides[1].includes(0))
    contribute([input], (own) => sumForward({ out: own, x: gradient }, { walk, scale }));
  else if (scale === 1) pass(input, gradient);
  else contribute([input], (own) => stretchForward({ out: own, x: gradient }, { walk, scale }));
}

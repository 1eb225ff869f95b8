// What to say when a training step gives no number.

import { type FlatArray, intercept, type KernelCall } from "@saunet/core/kernels";
import type { Parameters } from "./parameters.ts";

/**
 * A training step that gave no number. The parameters are as they were before that step.
 *
 * @example
 * const { message } = new DivergedError(12, Number.NaN, "head.filter");
 * console.log(message); // train: the loss of step 13 is NaN; the first tensor that is not finite is head.filter
 */
export class DivergedError extends Error {
  override readonly name = "DivergedError";
  /** The step, counted from 0; the message counts from 1, as logs do. */
  readonly step: number;
  /** The first tensor of that step that was not finite. */
  readonly tensor: string;

  constructor(step: number, value: number, tensor: string) {
    super(
      `train: the loss of step ${step + 1} is ${value}; the first tensor that is not finite is ${tensor}`,
    );
    this.step = step;
    this.tensor = tensor;
  }
}

/** The name of the first of these tensors that holds something else than finite numbers. */
export function firstNotFinite(tensors: Parameters): string | undefined {
  return Object.entries(tensors).find(([, { data }]) => !allFinite(data))?.[0];
}

/**
 * Runs a function and names the first array that a kernel filled with anything else than finite numbers.
 *
 * @param known names of tensors: they tell which layer a kernel call belongs to
 */
export function firstNotFiniteOf(body: () => unknown, known: Parameters): string | undefined {
  const nameOf = new Map(Object.entries(known).map(([name, { data }]) => [data as FlatArray, name]));
  let found: string | undefined;
  /** The last parameter that was read: what is calculated next belongs to its layer. */
  let near = "the input";
  intercept((call) => {
    const names = Object.values(call.arrays).map((array) => array && nameOf.get(array));
    near = names.find((name) => name !== undefined) ?? near;
    call.run();
    found ??= describe(call, near);
  }, body);
  return found;
}

function describe({ kernel, arrays }: KernelCall, near: string): string | undefined {
  const spoilt = Object.entries(kernel.roles).find(([name, role]) => {
    const array = arrays[name];
    return role !== "read" && array instanceof Float32Array && !allFinite(array);
  });
  return spoilt && `${spoilt[0]} of ${kernel.name}, at ${near}`;
}

/** Whether all are numbers, and none infinite. */
export function allFinite(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}

// What a program gives rewrites to do, and what stands in their way, counted without asking them.

import type { Program } from "@saunet/core";
import type { ProgramCall } from "@saunet/core/kernels";

/** Two calls that a rewrite joins: the result of the one is the operand of the other. */
interface Link {
  readonly producers: readonly string[];
  readonly result: string;
  readonly consumers: readonly string[];
  readonly operand: string;
}

const link = (producers: string[], result: string, consumers: string[], operand: string): Link => ({
  ...{ producers, result },
  ...{ consumers, operand },
});

/** By the names of the rewrites. */
export const LINKS: Readonly<Record<string, Link>> = {
  "normalize+silu": link(["groupNorm.forward"], "y", ["silu.forward"], "x"),
  "normalize+relu": link(["groupNorm.forward"], "y", ["relu.forward"], "x"),
  "gate+concat": link(["mul.forward"], "out", ["movement.concat"], "b"),
  "gate+concat+conv": link(["movement.concat"], "y", ["conv2d.forward"], "x"),
  "conv+statistics": link(["conv2d.forward"], "y", ["groupNorm.statistics"], "x"),
  "dropBlock+sum": link(["dropBlock.apply"], "y", ["sum.forward"], "x"),
};

const written = ({ kernel, buffers }: ProgramCall): (number | undefined)[] =>
  Object.keys(kernel.roles).flatMap((name) => (kernel.roles[name] === "read" ? [] : [buffers[name]]));

/** Places of a call and of the one that reads its result. */
export type Place = readonly [from: number, to: number];

/** Every pair of calls that a link names. */
export function placesOf({ calls }: Program, { producers, result, consumers, operand }: Link): Place[] {
  return calls.flatMap((producer, from) => {
    const buffer = producer.buffers[result];
    if (!producers.includes(producer.kernel.name) || buffer === undefined) return [];
    return calls.flatMap(({ kernel, buffers }, to): Place[] =>
      to > from && consumers.includes(kernel.name) && buffers[operand] === buffer ? [[from, to]] : [],
    );
  });
}

/** Whether some such pair has a call in between that writes what one of the two reads or writes. */
export function hasWriterBetween(program: Program, link: Link): boolean {
  const { calls } = program;
  return placesOf(program, link).some(([from, to]) => {
    const touched = [from, to].flatMap((at) => Object.values(calls[at].buffers));
    return calls
      .slice(from + 1, to)
      .some((call) => written(call).some((buffer) => buffer !== undefined && touched.includes(buffer)));
  });
}

// Convolutions in groups, and both gradients. One channel in and out for each group has loops of its own (depthwise.ts)
// where these suit the geometry. Other groups are copied apart, so that each lies like an image by itself, convolved by whatever algorithm suits it, and
// laid back:
//
//   [pixels][groups][channels]   ⇄   [groups][pixels][channels]
//
// All groups have the same code: an item is an item of one of them.

import {
  type Correlation,
  forwardCorrelation,
  type GroupedConv2dDims,
  groupedConv2dFilterGradient,
  groupedConv2dForward,
  groupedConv2dTransposed,
  transposedCorrelation,
} from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, type I32 } from "../../asm/index.ts";
import { alignToLine } from "../../memory.ts";
import { type Draft, generator } from "../../plan.ts";
import { copyRow } from "../movement.ts";
import { MEMORY_GRAIN } from "../stream.ts";
import {
  biasName,
  correlationSteps,
  forwardNames,
  gradientNames,
  gradientSteps,
  transposedNames,
} from "./correlate.ts";
import { depthwiseSteps } from "./depthwise.ts";
import { depthwiseGradientSteps } from "./depthwise-gradient.ts";
import { type Names, planOf, type Step, type StepLocals, type Steps } from "./steps.ts";

export const forward = generator(groupedConv2dForward, (d, { b }, features) =>
  planGroups("conv2d_grouped", d, forwardCorrelation, {
    names: { ...forwardNames, bias: biasName(b) },
    depthwise: (c) => depthwiseSteps(c, features.relaxed),
    group: (c) => correlationSteps(c, features),
  }),
);

export const transposed = generator(groupedConv2dTransposed, (d, _, features) =>
  planGroups("conv2d_grouped_transposed", d, transposedCorrelation, {
    names: transposedNames,
    depthwise: (c) => depthwiseSteps(c, features.relaxed),
    group: (c) => correlationSteps(c, features),
  }),
);

export const gradient = generator(groupedConv2dFilterGradient, (d, _, features) =>
  planGroups("conv2d_grouped_filter_gradient", d, forwardCorrelation, {
    names: gradientNames,
    depthwise: (c) => depthwiseGradientSteps(c, features.relaxed),
    group: (c) => gradientSteps(c, features),
    written: "filter",
  }),
);

type Role = "input" | "output" | "filter";

/** What one kernel does. */
interface Grouped<N extends string> {
  readonly names: Names<N>;
  /** The phases where each channel is a group, by the correlation of all of them; `undefined` where they do not suit. */
  readonly depthwise: (channels: Correlation) => Steps | undefined;
  /** The phases of one group. */
  readonly group: (group: Correlation) => Steps;
  /** Default: the output. */
  readonly written?: Role;
}

function planGroups<N extends string>(
  kernel: string,
  d: GroupedConv2dDims,
  correlationOf: typeof forwardCorrelation,
  { names, depthwise, group, written = "output" }: Grouped<N>,
): Draft<Record<N, unknown>> {
  const { C, O, groups } = d;
  const isDepthwise = C === groups && O === groups;
  const steps = isDepthwise ? depthwise({ ...correlationOf({ ...d, C: 1 }), I: C, O }) : undefined;
  if (steps !== undefined) return planOf(kernel, steps, names);
  const correlation = correlationOf({ ...d, C: C / groups, O: O / groups });
  return planOf(kernel, stepsApart(d, correlation, group(correlation), written), names);
}

/** An array that is copied apart: `rows · groups` runs of `width` elements; its copy lies at `at` in the shared memory. */
interface Runs {
  readonly rows: number;
  readonly groups: number;
  readonly width: number;
  readonly at: number;
}

/** The phases of all groups from those of one. */
function stepsApart(
  d: GroupedConv2dDims,
  { N, I, O, rows, columns }: Correlation,
  { tile, key, sharedBytes = 0, ownBytes = 0, steps }: Steps,
  written: Role,
): Steps {
  const { groups } = d;
  const groupBytes = alignToLine(sharedBytes);
  let end = groups * groupBytes;
  const runs = (rows: number, width: number): Runs => {
    const at = end;
    end = alignToLine(end + rows * groups * width * FLOAT);
    return { rows, groups, width, at };
  };
  const copies = {
    input: runs(N * rows.inSize * columns.inSize, I),
    output: runs(N * rows.outSize * columns.outSize, O),
    filter: runs((d.KH * d.KW * d.C) / groups, d.O / groups),
  };
  const copy = (role: Role): Step => ({
    items: copies[role].rows,
    grain: Math.ceil(MEMORY_GRAIN / (groups * copies[role].width)),
    ...(role === "filter" && role !== written && { reads: [role] }),
    write: (f, locals) => copyRuns(f, locals, locals[role], copies[role], role === written),
  });
  const read = (["filter", "input", "output"] as const).filter((role) => role !== written);
  return {
    tile: `apart_${tile}`,
    key: [...key, N, groups],
    sharedBytes: end,
    ownBytes,
    steps: [
      ...read.map(copy),
      ...steps.map((step) => ofEachGroup(step, groups, groupBytes, copies)),
      copy(written),
    ],
  };
}

/** A step of one group as one of all. */
function ofEachGroup(
  { items, write, ...step }: Step,
  groups: number,
  groupBytes: number,
  copies: Readonly<Record<Role, Runs>>,
): Step {
  return {
    ...step,
    items: groups * items,
    write: (f, { from, to, shared, own, ...whole }) => {
      const { i32 } = f;
      const { group, last, first, end, before, scratch, input, output, filter } = f.declare("i32");
      const bias = whole.bias && f.local("bias", "i32");
      f.set(last, i32.div_u(i32.add(to, items - 1), items));
      f.forRange(group, { from: i32.div_u(from, items), to: last }, () => {
        f.set(before, i32.mul(group, items));
        f.set(first, f.max(i32.sub(from, before), 0));
        f.set(end, f.min(i32.sub(to, before), items));
        f.set(scratch, f.at(shared, group, groupBytes));
        for (const [copy, { at, rows, width }] of [
          [input, copies.input],
          [output, copies.output],
          [filter, copies.filter],
        ] as const)
          f.set(copy, f.at(i32.add(shared, at), group, rows * width * FLOAT));
        if (whole.bias && bias) f.set(bias, f.at(whole.bias, group, copies.output.width * FLOAT));
        write(f, { from: first, to: end, shared: scratch, own, input, output, filter, bias });
      });
    },
  };
}

/** Copies the rows `from` … `to - 1` of all groups apart, or back. */
function copyRuns(
  f: FunctionBuilder,
  { from, to, shared }: StepLocals,
  whole: I32,
  { rows, groups, width, at }: Runs,
  back: boolean,
): void {
  const { row, group, together, own, source, target } = f.declare("i32");
  f.set(together, f.at(whole, from, groups * width * FLOAT));
  f.forRange(row, { from, to }, () => {
    f.set(own, f.at(f.i32.add(shared, at), row, width * FLOAT));
    f.forRange(group, { to: groups }, () => {
      f.set(source, back ? own : together);
      f.set(target, back ? together : own);
      copyRow(f, { to: target, from: source }, width);
      f.advance(together, width * FLOAT);
      f.advance(own, rows * width * FLOAT);
    });
  });
}

// Convolutions in groups, and both gradients. One channel in and out for each group has loops of its own (depthwise.ts)
// where these suit the geometry. Other groups are copied apart, so that each lies like an image by itself, convolved by whatever algorithm suits it, and
// laid back:
//
//   [pixels][groups][channels]   ⇄   [groups][pixels][channels]
//
// All groups have the same code: an item is an item of one of them.

import {
  type Correlation,
  type GroupedConv2dDims,
  groupedConv2dFilterGradient,
  groupedConv2dForward,
  groupedConv2dTransposed,
  type Kernel,
} from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, type I32 } from "../../asm/index.ts";
import { alignToLine } from "../../memory.ts";
import { type CodeFeatures, type Generator, generator, nameOf } from "../../plan.ts";
import { copyRow } from "../movement.ts";
import { MEMORY_GRAIN } from "../stream.ts";
import { forward, gradient, type Kind, namesIn, transposed } from "./correlate.ts";
import { planOf, type Step, type StepLocals, type Steps } from "./steps.ts";

const inGroups = <A>(kernel: Kernel<A, GroupedConv2dDims>, kind: Kind): Generator =>
  generator(kernel, (d, lengths, features) =>
    planOf(nameOf(kernel), groupedSteps(d, kind, features), namesIn(kind, lengths)),
  );

/** What fills core's convolution kernels with groups. */
export const groupedGenerators: readonly Generator[] = [
  /* @__PURE__ */ inGroups(groupedConv2dForward, forward),
  /* @__PURE__ */ inGroups(groupedConv2dTransposed, transposed),
  /* @__PURE__ */ inGroups(groupedConv2dFilterGradient, gradient),
];

function groupedSteps(
  d: GroupedConv2dDims,
  { correlationOf, steps, depthwise, written }: Kind,
  features: CodeFeatures,
): Steps {
  const { C, O, groups } = d;
  const isDepthwise = C === groups && O === groups;
  const channels = { ...correlationOf({ ...d, C: 1 }), I: C, O };
  const group = correlationOf({ ...d, C: C / groups, O: O / groups });
  const together = isDepthwise ? depthwise(channels, features.relaxed) : undefined;
  return together ?? stepsApart(d, group, steps(group, features), written);
}

type Role = "input" | "output" | "filter";

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
      const { group, last, first, end, before, scratch } = f.declare("i32");
      const apart = (role: Role) => {
        const { at, rows, width } = copies[role];
        return f.let(role, f.at(i32.add(shared, at), group, rows * width * FLOAT));
      };
      f.set(last, i32.div_u(i32.add(to, items - 1), items));
      f.forRange(group, { from: i32.div_u(from, items), to: last }, () => {
        f.set(before, i32.mul(group, items));
        f.set(first, f.max(i32.sub(from, before), 0));
        f.set(end, f.min(i32.sub(to, before), items));
        f.set(scratch, f.at(shared, group, groupBytes));
        const bias = whole.bias && f.let("bias", f.at(whole.bias, group, copies.output.width * FLOAT));
        const [input, output, filter] = [apart("input"), apart("output"), apart("filter")];
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

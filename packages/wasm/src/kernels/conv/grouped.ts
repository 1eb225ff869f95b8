// Convolutions in groups, and both gradients. One channel in and out for each group has loops of its own (depthwise.ts).
// Other groups are copied apart, so that each lies like an image by itself, convolved by whatever algorithm suits it, and
// laid back:
//
//   [pixels][groups][channels]   ⇄   [groups][pixels][channels]
//
// All groups have the same code: an item is an item of one of them.

import {
  exactKey,
  type GroupedConv2dDims,
  groupedConv2dFilterGradient,
  groupedConv2dForward,
  groupedConv2dTransposed,
} from "@saunet/core/kernels";
import type { FunctionBuilder, Local } from "../../asm/index.ts";
import { alignToLine } from "../../memory.ts";
import { type CodeFeatures, generator, type Phase, type Plan } from "../../plan.ts";
import { FLOAT, MEMORY_GRAIN, setEach, stream } from "../stream.ts";
import { chooseCorrelation, chooseGradient, keepingTo } from "./choose.ts";
import { stepsOf } from "./correlate.ts";
import { depthwiseSteps } from "./depthwise.ts";
import { depthwiseGradientSteps } from "./depthwise-gradient.ts";
import { directGradientSteps } from "./direct-gradient.ts";
import { type Correlation, forwardOf, transposedOf } from "./geometry.ts";
import { type Names, planOf, type Step, type Steps } from "./steps.ts";
import { winogradGradientSteps } from "./winograd-gradient.ts";

const isDepthwise = ({ C, O, groups }: GroupedConv2dDims): boolean => C === groups && O === groups;

/** The integers of one channel's convolution, the filter's steps being those of the whole. */
const ofOneChannel = (d: GroupedConv2dDims) => ({ ...d, C: 1 });

/** Input and output channels of a group. */
const channelsOf = ({ C, O, groups }: GroupedConv2dDims) => ({ D: C / groups, E: O / groups });

export const forward = generator(groupedConv2dForward, (d, { b }, features) => {
  const names = { input: "x", output: "y", filter: "w", bias: b === undefined ? undefined : "b" } as const;
  const { D, E } = channelsOf(d);
  if (isDepthwise(d)) return depthwise("conv2d_grouped", d, forwardOf(ofOneChannel(d)), names, features);
  const group = forwardOf({ ...d, C: D, O: E });
  return apart("conv2d_grouped", d, group, names, features);
});

export const transposed = generator(groupedConv2dTransposed, (d, _, features) => {
  const names = { input: "y", output: "x", filter: "w", bias: undefined } as const;
  const { D, E } = channelsOf(d);
  if (isDepthwise(d))
    return depthwise("conv2d_grouped_transposed", d, transposedOf(ofOneChannel(d)), names, features);
  return apart("conv2d_grouped_transposed", d, transposedOf({ ...d, C: D, O: E }), names, features);
});

export const gradient = generator(groupedConv2dFilterGradient, (d, _, features) => {
  const { relaxed, convolutions } = features;
  const names = { input: "x", output: "gy", filter: "gw", bias: undefined } as const;
  const kernel = "conv2d_grouped_filter_gradient";
  const { D, E } = channelsOf(d);
  if (isDepthwise(d)) {
    const correlation = forwardOf(ofOneChannel(d));
    const steps = depthwiseGradientSteps(correlation, d.C, relaxed);
    return planOf(kernel, steps, names, exactKey([correlation, d.C, relaxed]));
  }
  const group = forwardOf({ ...d, C: D, O: E });
  const choice = keepingTo(convolutions, chooseGradient)(group);
  const steps =
    choice.algorithm === "winograd"
      ? winogradGradientSteps(group, choice, relaxed)
      : directGradientSteps(group, relaxed);
  const key = exactKey([group, choice, d.groups, relaxed]);
  return groupsApart(kernel, steps, names, key, d, { input: D, output: E, filterIsWritten: true });
});

function depthwise<N extends string>(
  kernel: string,
  { C }: GroupedConv2dDims,
  correlation: Correlation,
  names: Names<N>,
  { relaxed }: CodeFeatures,
): Plan<Record<N, unknown>> {
  const hasBias = names.bias !== undefined;
  const steps = depthwiseSteps(correlation, C, hasBias, relaxed);
  // Code goes row by row, whatever image a row is of.
  return planOf(kernel, steps, names, exactKey([{ ...correlation, N: 0 }, C, hasBias, relaxed]));
}

function apart<N extends string>(
  kernel: string,
  d: GroupedConv2dDims,
  group: Correlation,
  names: Names<N>,
  { relaxed, convolutions }: CodeFeatures,
): Plan<Record<N, unknown>> {
  const choice = keepingTo(convolutions, chooseCorrelation)(group);
  const hasBias = names.bias !== undefined;
  const steps = stepsOf(group, choice, hasBias, relaxed);
  const key = exactKey([group, choice, d.groups, hasBias, relaxed]);
  const sizes = { input: group.I, output: group.O, filterIsWritten: false };
  return groupsApart(kernel, steps, names, key, d, sizes);
}

/** An array that is copied apart: runs of `width` elements, `rows · groups` of them. */
interface Runs {
  readonly rows: number;
  readonly groups: number;
  readonly width: number;
  /** Where its copy lies in the shared memory. */
  readonly at: number;
}

/** The plan of all groups from the steps of one; `sizes` are the channels of its input and output. */
function groupsApart<N extends string>(
  kernel: string,
  { tile, sharedBytes, ownBytes, steps }: Steps,
  names: Names<N>,
  key: string,
  d: GroupedConv2dDims,
  sizes: { readonly input: number; readonly output: number; readonly filterIsWritten: boolean },
): Plan<Record<N, unknown>> {
  const { groups } = d;
  const { D, E } = channelsOf(d);
  const groupBytes = alignToLine(sharedBytes);
  let next = groups * groupBytes;
  const runs = (rows: number, width: number): Runs => {
    const at = next;
    next = alignToLine(next + rows * groups * width * FLOAT);
    return { rows, groups, width, at };
  };
  const [x, y] = [d.N * d.H * d.W, d.N * d.OH * d.OW];
  const isTransposed = names.input === "y";
  const input = runs(isTransposed ? y : x, sizes.input);
  const output = runs(isTransposed ? x : y, sizes.output);
  const filter = runs(d.KH * d.KW * D, E);
  const copies = { input, output, filter };
  const { filterIsWritten } = sizes;
  const whole = (role: "input" | "output" | "filter") => names[role];
  const before = filterIsWritten ? (["input", "output"] as const) : (["filter", "input"] as const);
  const after = filterIsWritten ? "filter" : "output";
  const copy = (role: keyof typeof copies, back: boolean): Phase<Record<N, unknown>> => ({
    items: copies[role].rows,
    grain: Math.ceil(MEMORY_GRAIN / (groups * copies[role].width)),
    ...(role === "filter" && !back && { reads: [whole(role)] }),
    write: (f, { from, to, shared, arrays }) =>
      copyRuns(f, { from, to }, (arrays as Record<N, Local<"i32">>)[whole(role)], shared, copies[role], back),
  });
  const name = `${kernel}_f32_apart_${tile}`;
  return {
    name,
    key: `${name} ${key}`,
    sharedBytes: next,
    ownBytes,
    phases: [
      ...before.map((role) => copy(role, false)),
      ...steps.map((step) => ofEachGroup(step, groups, groupBytes, copies, names)),
      copy(after, true),
    ],
  };
}

/** A step of one group as a phase of all. */
function ofEachGroup<N extends string>(
  { items, grain, reads, write }: Step,
  groups: number,
  groupBytes: number,
  copies: Readonly<Record<"input" | "output" | "filter", Runs>>,
  names: Names<N>,
): Phase<Record<N, unknown>> {
  return {
    items: groups * items,
    ...(grain !== undefined && { grain }),
    ...(reads && { reads: reads.map((operand) => names[operand]!) }),
    write: (f, { from, to, shared, own, arrays }) => {
      const { i32 } = f;
      const { group, last, first, end, before } = f.declare("i32");
      const { scratch, input, output, filter, bias } = f.declare("i32");
      const of = ({ at, rows, width }: Runs, target: Local<"i32">) => {
        f.set(target, f.at(at, group, rows * width * FLOAT));
        f.advance(target, shared);
      };
      f.set(last, i32.div_u(i32.add(to, items - 1), items));
      f.forRange(group, { from: i32.div_u(from, items), to: last }, () => {
        f.set(before, i32.mul(group, items));
        f.set(first, i32.sub(from, before));
        f.set(first, f.max(first, 0));
        f.set(end, i32.sub(to, before));
        f.set(end, f.min(end, items));
        f.set(scratch, f.at(shared, group, groupBytes));
        of(copies.input, input);
        of(copies.output, output);
        of(copies.filter, filter);
        if (names.bias !== undefined) {
          const all = (arrays as Record<N, Local<"i32">>)[names.bias];
          f.set(bias, f.at(all, group, copies.output.width * FLOAT));
        }
        const operands = { input, output, filter, bias: names.bias === undefined ? undefined : bias };
        write(f, { from: first, to: end, shared: scratch, own }, operands);
      });
    },
  };
}

/** Copies the rows `from` … `to - 1` of all groups apart, or back. */
function copyRuns(
  f: FunctionBuilder,
  { from, to }: { readonly from: Local<"i32">; readonly to: Local<"i32"> },
  whole: Local<"i32">,
  shared: Local<"i32">,
  { rows, groups, width, at }: Runs,
  back: boolean,
): void {
  const { i32 } = f;
  const { row, group, together, own, left } = f.declare("i32");
  f.set(together, f.at(whole, from, groups * width * FLOAT));
  f.forRange(row, { from, to }, () => {
    f.set(own, f.at(i32.add(shared, at), row, width * FLOAT));
    f.forRange(group, { to: groups }, () => {
      f.set(left, width);
      const pointers = back ? { from: own, to: together } : { from: together, to: own };
      stream(
        f,
        { pointers, reads: ["from"], writes: ["to"], count: left, vectors: width % 16 === 0 ? 4 : 1 },
        (values) => setEach(f, values.to, (i) => values.from[i]),
      );
      f.advance(own, (rows - 1) * width * FLOAT);
    });
  });
}

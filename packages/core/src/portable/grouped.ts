// The fast forms of the convolution in groups in plain TypeScript. One channel in and out per group (depthwise) has loops of
// its own; any other group is copied out, convolved like an image by itself, and laid back.

import type { Floats } from "../kernel.ts";
import type { Conv2dDims } from "../ops/conv2d-dims.ts";
import type { GroupedConv2dDims } from "../ops/grouped-conv2d-dims.ts";
import { forEachMeeting } from "../ops/meetings.ts";
import { portableFilterGradient, portableForward, portableTransposed } from "./conv2d.ts";

const isDepthwise = ({ C, O, groups }: GroupedConv2dDims): boolean => C === groups && O === groups;

/** `groupedConv2d.forward`. */
export function portableGroupedForward(
  { y, x, w, b }: { y: Floats; x: Floats; w: Floats; b?: Floats | undefined },
  d: GroupedConv2dDims,
): void {
  if (!isDepthwise(d)) {
    const outputs = new Float32Array(y.length / d.groups);
    forEachGroup(d, (own, g) => {
      const bias = b?.subarray(g * own.O, (g + 1) * own.O);
      const [image, filter] = [takeGroup(x, own.C, d.groups, g), takeGroup(w, own.O, d.groups, g)];
      portableForward({ y: outputs, x: image, w: filter, b: bias }, own);
      putGroup(y, outputs, own.O, d.groups, g);
    });
    return;
  }
  const { C } = d;
  const sums = new Float64Array(y.length);
  if (b !== undefined) for (let at = 0; at < sums.length; at += C) sums.set(b, at);
  forEachMeeting(d, (pixel, output, tap) => {
    const [from, to, weights] = [pixel * C, output * C, tap * C];
    for (let c = 0; c < C; c++) sums[to + c] += x[from + c] * w[weights + c];
  });
  y.set(sums);
}

/** `groupedConv2d.transposed`. */
export function portableGroupedTransposed(
  { x, y, w }: { x: Floats; y: Floats; w: Floats },
  d: GroupedConv2dDims,
): void {
  if (!isDepthwise(d)) {
    const image = new Float32Array(x.length / d.groups);
    forEachGroup(d, (own, g) => {
      const [outputs, filter] = [takeGroup(y, own.O, d.groups, g), takeGroup(w, own.O, d.groups, g)];
      portableTransposed({ x: image, y: outputs, w: filter }, own);
      putGroup(x, image, own.C, d.groups, g);
    });
    return;
  }
  const { C } = d;
  const sums = new Float64Array(x.length);
  forEachMeeting(d, (pixel, output, tap) => {
    const [to, from, weights] = [pixel * C, output * C, tap * C];
    for (let c = 0; c < C; c++) sums[to + c] += y[from + c] * w[weights + c];
  });
  x.set(sums);
}

/** `groupedConv2d.filterGradient`. */
export function portableGroupedFilterGradient(
  { gw, x, gy }: { gw: Floats; x: Floats; gy: Floats },
  d: GroupedConv2dDims,
): void {
  if (!isDepthwise(d)) {
    const filter = new Float32Array(gw.length / d.groups);
    forEachGroup(d, (own, g) => {
      const [image, outputs] = [takeGroup(x, own.C, d.groups, g), takeGroup(gy, own.O, d.groups, g)];
      portableFilterGradient({ gw: filter, x: image, gy: outputs }, own);
      putGroup(gw, filter, own.O, d.groups, g);
    });
    return;
  }
  const { C } = d;
  const sums = new Float64Array(gw.length);
  forEachMeeting(d, (pixel, output, tap) => {
    const [from, outputs, to] = [pixel * C, output * C, tap * C];
    for (let c = 0; c < C; c++) sums[to + c] += x[from + c] * gy[outputs + c];
  });
  gw.set(sums);
}

/** Calls `visit` with the integers of each group as a convolution by itself. */
function forEachGroup(d: GroupedConv2dDims, visit: (own: Conv2dDims, group: number) => void): void {
  const { groups, ...all } = d;
  const own = { ...all, C: d.C / groups, O: d.O / groups, flops: d.flops / groups };
  for (let group = 0; group < groups; group++) visit(own, group);
}

/** The channels of one group, `width` of them, side by side: every `groups * width` elements hold one such run. */
function takeGroup(from: Floats, width: number, groups: number, group: number): Float32Array {
  const to = new Float32Array(from.length / groups);
  for (let i = 0, at = group * width; i < to.length; i += width, at += groups * width)
    for (let c = 0; c < width; c++) to[i + c] = from[at + c];
  return to;
}

/** Lays back what {@link takeGroup} took. */
function putGroup(to: Floats, from: Float32Array, width: number, groups: number, group: number): void {
  for (let i = 0, at = group * width; i < from.length; i += width, at += groups * width)
    for (let c = 0; c < width; c++) to[at + c] = from[i + c];
}

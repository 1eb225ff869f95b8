// Cross-entropy of logits along the last axis, line by line.
//
//   classes  y = log Σ e^x - x[z]              gx = gy · (softmax(x) - [k = z])
//   shares   y = Σ z · (log Σ e^x - x)         gx = gy · (softmax(x) · Σ z - z)
//
// A line whose class is the one that is ignored has y = 0 and gx = 0. A class that the logits do not have traps.

import {
  type SoftmaxCrossEntropyDims,
  softmaxCrossEntropyForward,
  softmaxCrossEntropyGradient,
} from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, type Local } from "../asm/index.ts";
import { logarithm } from "./exp.ts";
import { trapUnlessIndex } from "./indexing.ts";
import { alongLines, linePowers, lineSum } from "./lines.ts";

const byClass = ({ target }: SoftmaxCrossEntropyDims): boolean => target === "classes";

/** Whether the class at an address is ignored. */
function isIgnored(f: FunctionBuilder, z: Local<"i32">, ignoreClass: number) {
  return f.f32.eq(f.f32.load(z), ignoreClass);
}

export const softmaxCrossEntropy = alongLines(softmaxCrossEntropyForward, (d) => ({
  lines: byClass(d) ? ["x"] : ["x", "z"],
  single: byClass(d) ? ["y", "z"] : ["y"],
  fixed: [d.target, d.ignoreClass],
  refuses: byClass(d),
  prepare: (f, pass, { y, x, z }) => {
    const { f32, f32x4, i32, v128 } = f;
    const ln = logarithm(f);
    const logarithmOfSum = f.local("logarithm", "v128");
    const zero = f.constant("zero", 0);
    const sum = lineSum(f);
    const index = f.local("index", "i32");
    const powers = linePowers(f, pass, sum, "x");
    const measure = () => {
      const largest = powers();
      f.set(logarithmOfSum, sum.total());
      ln([logarithmOfSum]);
      f.set(logarithmOfSum, f32x4.add(logarithmOfSum, largest));
    };
    if (!byClass(d))
      return () => {
        measure();
        sum.clear();
        pass(["x", "z"], [], (values) => {
          // A logit of -∞ costs nothing where its share is 0.
          f.setEach(values.x, (i) =>
            v128.and(
              f32x4.mul(f32x4.sub(logarithmOfSum, values.x[i]), values.z[i]),
              f32x4.ne(values.z[i], zero),
            ),
          );
          sum.add(values.x);
        });
        f32.store(y, f32x4.extract_lane(sum.total(), 0));
      };
    const ofClass = () => {
      trapUnlessIndex(f, index, z, d.size);
      measure();
      f.set(index, i32.add(x, i32.mul(index, FLOAT)));
      f32.store(y, f32.sub(f32x4.extract_lane(logarithmOfSum, 0), f32.load(index)));
    };
    return () => {
      if (d.ignoreClass === undefined) ofClass();
      else f.if(isIgnored(f, z, d.ignoreClass), () => f32.store(y, 0), ofClass);
    };
  },
}));

export const gradientOfSoftmaxCrossEntropy = alongLines(softmaxCrossEntropyGradient, (d) => ({
  lines: byClass(d) ? ["gx", "x"] : ["gx", "x", "z"],
  single: byClass(d) ? ["gy", "z"] : ["gy"],
  fixed: [d.target, d.ignoreClass],
  prepare: (f, pass, { gx, gy, z }) => {
    const { f32, f32x4, i32, memory, v128 } = f;
    const one = f.constant("unit", 1);
    const [share, factor] = f.locals("factor", "v128", 2);
    const own = f.local("own", "f32");
    const [index, at] = f.locals("index", "i32", 2);
    const sum = lineSum(f);
    const powers = linePowers(f, pass, sum, "x", "gx");
    /** Leaves the powers in gx, and what makes them shares. */
    const measure = () => {
      powers();
      f.set(share, f32x4.div(one, sum.total()));
      f.set(factor, v128.load32_splat(gy));
    };
    if (!byClass(d))
      return () => {
        measure();
        sum.clear();
        pass(["z"], [], (values) => sum.add(values.z));
        f.set(share, f32x4.mul(share, sum.total()));
        pass(["gx", "z"], ["gx"], (values) => {
          f.setEach(values.gx, (i) => f32x4.sub(f32x4.mul(values.gx[i], share), values.z[i]));
          f.setEach(values.gx, (i) => f32x4.mul(values.gx[i], factor));
        });
      };
    const ofClass = () => {
      measure();
      f.set(index, i32.trunc_sat_f32_s(f32.load(z)));
      f.set(index, f.select(index, 0, i32.lt_u(index, d.size)));
      f.set(at, i32.add(gx, i32.mul(index, FLOAT)));
      f.set(own, f32.sub(f32.mul(f32.load(at), f32x4.extract_lane(share, 0)), 1));
      f.set(share, f32x4.mul(share, factor));
      pass(["gx"], ["gx"], (values) => f.setEach(values.gx, (i) => f32x4.mul(values.gx[i], share)));
      // A class that does not exist is none of the line's.
      f.if(f32.eq(f32.convert_i32_s(index), f32.load(z)), () => {
        f32.store(at, f32.mul(own, f32.load(gy)));
      });
    };
    return () => {
      if (d.ignoreClass === undefined) ofClass();
      else f.if(isIgnored(f, z, d.ignoreClass), () => memory.fill(gx, 0, d.size * FLOAT), ofClass);
    };
  },
}));

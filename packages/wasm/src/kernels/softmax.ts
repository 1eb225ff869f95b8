// Softmax and its logarithm along the last axis, line by line.
//
//   softmax     y = e^(x - max x) / Σ e^(x - max x)          gx = y · (gy - Σ gy · y)
//   logSoftmax  y = x - max x - log Σ e^(x - max x)          gx = gy - e^y · Σ gy
//
// Sums run in double.

import { logSoftmaxForward, logSoftmaxGradient, softmaxForward, softmaxGradient } from "@saunet/core/kernels";
import { exponential, logarithm } from "./exp.ts";
import { alongLines, linePowers, lineSum } from "./lines.ts";

export const softmax = alongLines(softmaxForward, () => ({
  lines: ["y", "x"],
  prepare: (f, pass) => {
    const { f32x4 } = f;
    const one = f.constant("unit", 1);
    const share = f.local("share", "v128");
    const sum = lineSum(f);
    const powers = linePowers(f, pass, sum, "x", "y");
    return () => {
      powers();
      f.set(share, f32x4.div(one, sum.total()));
      pass(["y"], ["y"], ({ y }) => f.setEach(y, (i) => f32x4.mul(y[i], share)));
    };
  },
}));

export const gradientOfSoftmax = alongLines(softmaxGradient, () => ({
  lines: ["gx", "gy", "y"],
  prepare: (f, pass) => {
    const { f32x4 } = f;
    const sum = lineSum(f);
    return () => {
      sum.clear();
      pass(["gy", "y"], [], ({ gy, y }) => {
        f.setEach(gy, (i) => f32x4.mul(gy[i], y[i]));
        sum.add(gy);
      });
      const total = sum.total();
      pass(["gy", "y"], ["gx"], ({ gx, gy, y }) => {
        f.setEach(gx, (i) => f32x4.mul(y[i], f32x4.sub(gy[i], total)));
      });
    };
  },
}));

export const logSoftmax = alongLines(logSoftmaxForward, () => ({
  lines: ["y", "x"],
  prepare: (f, pass) => {
    const { f32x4 } = f;
    const ln = logarithm(f);
    const logOfSum = f.local("logOfSum", "v128");
    const sum = lineSum(f);
    const powers = linePowers(f, pass, sum, "x");
    return () => {
      const largest = powers();
      f.set(logOfSum, sum.total());
      ln([logOfSum]);
      pass(["x"], ["y"], ({ x, y }) => {
        f.setEach(y, (i) => f32x4.sub(f32x4.sub(x[i], largest), logOfSum));
      });
    };
  },
}));

export const gradientOfLogSoftmax = alongLines(logSoftmaxGradient, () => ({
  lines: ["gx", "gy", "y"],
  prepare: (f, pass) => {
    const { f32x4 } = f;
    const exp = exponential(f, 1);
    const sum = lineSum(f);
    return () => {
      sum.clear();
      pass(["gy"], [], ({ gy }) => sum.add(gy));
      const total = sum.total();
      pass(["gy", "y"], ["gx"], ({ gx, gy, y }) => {
        exp(y);
        f.setEach(gx, (i) => f32x4.sub(gy[i], f32x4.mul(y[i], total)));
      });
    };
  },
}));

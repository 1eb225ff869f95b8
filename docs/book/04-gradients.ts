// The numbers and figures of chapter 4.

import { add, backward, mul, parameter, sub, type Tensor, tensor } from "@saunet/core";
import { box, type Figure, figure, line, text } from "../../scripts/book/svg.ts";

const [w, x, b, t] = [0.5, 3, 1, 2];
const [u, v] = [mul(w, x).item(), add(mul(w, x), b).item()];
const e = sub(v, t).item();
const loss = mul(e, e).item();

/** d loss / d value, where `rest` computes the loss from the value. */
function gradientAt(value: number, rest: (leaf: Tensor) => Tensor): number {
  const leaf = parameter(tensor(value));
  backward(rest(leaf));
  return leaf.grad![0];
}
const square = (error: Tensor): Tensor => mul(error, error);
const gradients = {
  e: gradientAt(e, square),
  v: gradientAt(v, (leaf) => square(sub(leaf, t))),
  u: gradientAt(u, (leaf) => square(sub(add(leaf, b), t))),
  b: gradientAt(b, (leaf) => square(sub(add(mul(w, x), leaf), t))),
  w: gradientAt(w, (leaf) => square(sub(add(mul(leaf, x), b), t))),
  x: gradientAt(x, (leaf) => square(sub(add(mul(w, leaf), b), t))),
};

const lossAt = (weight: number): number => (weight * x + b - t) ** 2;

export const numbers = {
  u,
  v,
  e,
  loss,
  gw: gradients.w,
  gb: gradients.b,
  ge: gradients.e,
  quotient: ((lossAt(w + 0.01) - lossAt(w)) / 0.01).toFixed(2),
  better: lossAt(w - 0.1 * gradients.w).toFixed(2),
};

/** A value of the graph: its name, what it is, and what its gradient is. */
const node = (cx: number, cy: number, name: string, value: number, gradient?: number): string =>
  box(cx - 33, cy - 24, 66, 48, {
    ink: gradient === undefined ? "soft" : "accent",
    filled: true,
    radius: 8,
  }) +
  text(cx, cy - 8, name, { anchor: "middle", size: 13, bold: true }) +
  text(cx, cy + 6, `= ${value}`, { anchor: "middle" }) +
  (gradient === undefined ? "" : text(cx, cy + 19, `∂: ${gradient}`, { anchor: "middle", ink: "accent" }));

export const figures: Record<string, Figure> = {
  graph: figure(
    {
      height: 400,
      title: "The graph of a small loss",
      description: `From top to bottom: w = ${w} and x = ${x} are multiplied to u = ${u}; b = ${b} is added to v = ${v}; t = ${t} is subtracted to e = ${e}; e times e is the loss ${loss}. Going back up, the gradients are 1 for the loss, ${gradients.e} for e, ${gradients.v} for v, ${gradients.u} for u, ${gradients.b} for b, ${gradients.w} for w and ${gradients.x} for x.`,
    },
    [
      line([80, 56], [110, 90], { arrow: true }),
      line([180, 56], [150, 90], { arrow: true }),
      line([130, 138], [160, 172], { arrow: true }),
      line([240, 138], [200, 172], { arrow: true }),
      line([180, 220], [205, 254], { arrow: true }),
      line([288, 220], [245, 254], { arrow: true }),
      line([212, 302], [212, 338], { arrow: true }),
      line([238, 302], [238, 338], { arrow: true }),
      text(140, 78, "w · x", { ink: "soft" }),
      text(196, 160, "u + b", { ink: "soft" }),
      text(232, 240, "v - t", { ink: "soft" }),
      text(246, 325, "e · e: both ways", { ink: "soft" }),
      node(70, 32, "w", w, gradients.w),
      node(185, 32, "x", x, gradients.x),
      node(130, 114, "u", u, gradients.u),
      node(250, 114, "b", b, gradients.b),
      node(180, 196, "v", v, gradients.v),
      node(300, 196, "t", t),
      node(225, 278, "e", e, gradients.e),
      node(225, 362, "loss", loss, 1),
      text(8, 360, "forward: down, values", { ink: "ink" }),
      text(8, 378, "backward: up, ∂", { ink: "accent" }),
    ],
  ),
};

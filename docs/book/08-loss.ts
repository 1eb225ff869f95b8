// The numbers and figures of chapter 8.

import { backward, parameter, sigmoidCrossEntropy, tensor } from "@saunet/core";
import { crossEntropyLoss, evaluate, loadSegmenter, mccLoss } from "@saunet/model";
import { curve, type Figure, figure, line, text } from "../../scripts/book/svg.ts";
import { eye } from "./eye.ts";

const truth = Float32Array.from(eye.vessels.data);
const share = truth.reduce((sum, one) => sum + one, 0) / truth.length;
const logit = (p: number): number => Math.log(p / (1 - p));

/** Three answers to the eye: its share of vessels everywhere, how dark the green is, and the trained network. */
const segmenter = await loadSegmenter();
const network = (await segmenter.segment(eye.image)).probability;
segmenter.release();
const same = new Float32Array(truth.length).fill(share);
const dark = Float32Array.from({ length: truth.length }, (_, i) =>
  eye.fieldOfView.data[i] === 0 ? 0.01 : Math.min(0.99, Math.max(0.01, 1.3 - eye.image.data[3 * i + 1] / 60)),
);

function judged(probability: Float32Array): { entropy: string; mcc: string; f1: string } {
  const clipped = Float32Array.from(probability, (p) => logit(Math.min(1 - 1e-6, Math.max(1e-6, p))));
  const [x, t] = [tensor(clipped, [truth.length]), tensor(truth, [truth.length])];
  const { f1 } = evaluate({ probability, truth });
  return {
    entropy: crossEntropyLoss(x, t).item().toFixed(3),
    mcc: mccLoss(x, t).item().toFixed(3),
    f1: Number.isNaN(f1) ? "0" : f1.toFixed(3),
  };
}
const [ofSame, ofDark, ofNetwork] = [judged(same), judged(dark), judged(network)];

export const numbers = {
  share: (100 * share).toFixed(1),
  weight: ((1 - share) / share).toFixed(0),
  sameEntropy: ofSame.entropy,
  sameMcc: ofSame.mcc,
  sameF1: ofSame.f1,
  darkEntropy: ofDark.entropy,
  darkMcc: ofDark.mcc,
  darkF1: ofDark.f1,
  networkEntropy: ofNetwork.entropy,
  networkMcc: ofNetwork.mcc,
  networkF1: ofNetwork.f1,
};

const xs = Array.from({ length: 49 }, (_, i) => -6 + i / 4);
const entropyAt = (x: number, t: number): number => sigmoidCrossEntropy(tensor([x]), tensor([t])).item();
const slopeAt = (x: number, t: number): number => {
  const leaf = parameter(tensor([x]));
  backward(sigmoidCrossEntropy(leaf, tensor([t])));
  return leaf.grad![0];
};
const place = (x: number, y: number): [number, number] => [180 + 28 * x, 150 - 22 * y];

export const figures: Record<string, Figure> = {
  entropy: figure(
    {
      height: 214,
      title: "Cross entropy of a logit",
      description:
        "Two curves over logits from -6 to 6. For a vessel, the cross entropy falls from 6 to nearly 0; for background it rises from nearly 0 to 6. Both are 0.69 at a logit of 0. The derivative for a vessel rises from -1 to 0.",
    },
    [
      line(place(-6, 0), place(6, 0)),
      line(place(0, -1.3), place(0, 6)),
      curve(
        xs.map((x) => place(x, entropyAt(x, 1))),
        "accent",
      ),
      curve(
        xs.map((x) => place(x, entropyAt(x, 0))),
        "cool",
      ),
      curve(
        xs.map((x) => place(x, slopeAt(x, 1))),
        "warm",
      ),
      text(14, 60, "vessel, t = 1", { ink: "accent" }),
      text(354, 60, "background, t = 0", { ink: "cool", anchor: "end" }),
      text(14, 190, "slope for t = 1: σ(x) - 1", { ink: "warm" }),
      text(186, 24, "6", { ink: "soft" }),
      text(12, 145, "-6", { ink: "soft" }),
      text(336, 145, "6", { ink: "soft" }),
      text(14, 208, "logit x →", { ink: "soft" }),
    ],
  ),
};

// The numbers and figures of chapter 7.

import { parameter, type Tensor, tensor } from "@saunet/core";
import { forward, inspectNetwork, loadSegmenter, probabilitiesOf, saUNetV2 } from "@saunet/model";
import { box, type Figure, figure, line, picture, text } from "../../scripts/book/svg.ts";
import { receptiveField } from "./exercises/7.2.ts";
import { eye, smallGrey } from "./eye.ts";

const SIZE = 592;
const report = inspectNetwork(saUNetV2, { height: SIZE, width: SIZE });
const stages = [
  "encoder1",
  "encoder2",
  "encoder3",
  "bottleneck",
  "decoder3",
  "decoder2",
  "decoder1",
  "head",
] as const;
const flopsOf = (of: (layer: (typeof report.layers)[number]) => boolean): number =>
  report.layers.filter(of).reduce((sum, { flops }) => sum + flops, 0);
const share = (flops: number): string => `${((100 * flops) / report.flops).toFixed(1)} %`;
const shareOf = Object.fromEntries(
  stages.map((stage) => [stage, share(flopsOf(({ layer }) => layer.startsWith(stage)))]),
);
/** The levels of the network: size of the maps, channels, stages. */
const LEVELS = [
  ["592×592", 16, ["encoder1", "decoder1", "head"]],
  ["296×296", 32, ["encoder2", "decoder2"]],
  ["148×148", 48, ["encoder3", "decoder3"]],
  ["74×74", 64, ["bottleneck"]],
] as const;
const ofStages =
  (names: readonly string[]) =>
  ({ layer }: { readonly layer: string }): boolean =>
    names.some((name) => layer.startsWith(name));
const parametersOf = (names: readonly string[]): string =>
  `${(
    (100 * report.layers.filter(ofStages(names)).reduce((sum, { parameters }) => sum + parameters, 0)) /
      report.parameters
  ).toFixed(1)} %`;
const conv = flopsOf(({ op }) => op === "conv2d" || op === "convTranspose2d");

/** A part of the eye: the middle of its left half, where vessels branch. */
const [TOP, LEFT, SHOWN] = [200, 150, 256];
const { image } = eye;
const crop = new Float32Array(SHOWN * SHOWN * 3);
for (let y = 0; y < SHOWN; y++)
  for (let x = 0; x < SHOWN * 3; x++)
    crop[y * SHOWN * 3 + x] = image.data[((TOP + y) * image.width + LEFT) * 3 + x] / 255;

/** Every result of a run of the trained network, in order. */
const { parameters, config } = await loadSegmenter();
const learning = Object.fromEntries(
  Object.entries(parameters).map(([name, each]) => [name, parameter(each)]),
);
const logits = forward(config, learning, tensor(crop, [1, SHOWN, SHOWN, 3]));
const found = new Set<Tensor>([logits]);
for (const { history } of found)
  for (const input of history!.inputs) if (input.history !== undefined) found.add(input);
const results = [...found].sort((a, b) => a.history!.order - b.history!.order);

/** One channel of a result, its own range spread from black to white. */
function channelOf(result: Tensor, channel: number) {
  const [, H, W, C] = result.shape;
  const values = Float32Array.from({ length: H * W }, (_, i) => result.data[i * C + channel]);
  const [low, high] = [Math.min(...values.subarray(0, 65536)), Math.max(...values.subarray(0, 65536))];
  return smallGrey(
    values.map((value) => (value - low) / (high - low)),
    W,
    H,
  );
}
const activations = results.filter(({ history }) => history!.op === "silu");
/** The channel of each stage that is shown; the first has the index 0. */
const CHANNEL = 3;
const gates = results.filter(({ history }) => history!.op === "sigmoid");

/** From the photograph to the second convolution of the bottleneck. */
const wayDown = [1, 2, 3].flatMap(() => ["conv", "conv", "pool"] as const);

export const numbers = {
  field: receptiveField([...wayDown, "conv", "conv"]),
  flops: (report.flops / 1e9).toFixed(2),
  multiplications: (report.flops / 2e9).toFixed(1),
  parameters: report.parameters.toLocaleString("en"),
  conv: share(conv),
  levels: LEVELS.map(
    ([size, channels, names]) =>
      `| ${size} | ${channels} | ${names.join(", ")} | ${share(flopsOf(ofStages(names)))} | ${parametersOf(names)} |`,
  ).join("\n"),
  lowParameters: parametersOf(LEVELS.slice(2).flatMap(([, , names]) => [...names])),
  shown: CHANNEL,
  decoder1conv1: share(flopsOf(({ layer }) => layer === "decoder1.conv1")),
};

/** A stage: its name, its size and its share of the work. */
const stage = (x: number, y: number, name: (typeof stages)[number], shape: string): string =>
  box(x, y, 116, 46, { ink: "accent", filled: true, radius: 6 }) +
  text(x + 58, y + 15, name, { anchor: "middle", bold: true, size: 11 }) +
  text(x + 58, y + 28, shape, { anchor: "middle", size: 11 }) +
  text(x + 58, y + 41, shareOf[name], { anchor: "middle", size: 11, ink: "soft" });
const gate = (y: number): string =>
  line([120, y], [164, y], { arrow: true }) +
  box(164, y - 11, 32, 22, { ink: "warm", filled: true, radius: 11 }) +
  text(180, y + 4, "gate", { anchor: "middle", size: 11, ink: "warm" }) +
  line([196, y], [240, y], { arrow: true });

const MAP = 112;
const maps = [
  ["photograph", channelOf(tensor(crop, [1, SHOWN, SHOWN, 3]), 1)],
  ["encoder1", channelOf(activations[1], CHANNEL)],
  ["encoder2", channelOf(activations[3], CHANNEL)],
  ["encoder3", channelOf(activations[5], CHANNEL)],
  ["bottleneck", channelOf(activations[7], CHANNEL)],
  ["decoder3", channelOf(activations[9], CHANNEL)],
  ["decoder2", channelOf(activations[11], CHANNEL)],
  ["gate of decoder1", channelOf(gates[3], 0)],
  ["probability", channelOf(probabilitiesOf(config, logits), 0)],
] as const;

export const figures: Record<string, Figure> = {
  shapes: figure(
    {
      height: 394,
      title: "The U-Net with its shapes and shares of the work",
      description: `On the left, going down: ${stages
        .slice(0, 4)
        .map((name) => `${name} ${shareOf[name]}`)
        .join(", ")}. On the right, coming up: ${stages
        .slice(4)
        .map((name) => `${name} ${shareOf[name]}`)
        .join(", ")}. Skip connections with gates lead from each encoder to the decoder of the same size.`,
    },
    [
      text(62, 14, "photograph, 592², 3", { anchor: "middle", size: 11 }),
      text(298, 14, "logits, 592², 1", { anchor: "middle", size: 11 }),
      line([62, 20], [62, 80], { arrow: true }),
      line([298, 34], [298, 20], { arrow: true }),
      stage(240, 34, "head", "592², 1"),
      line([298, 96], [298, 82], { arrow: true }),
      stage(4, 96, "encoder1", "592², 16"),
      stage(240, 96, "decoder1", "592², 16"),
      gate(119),
      stage(4, 176, "encoder2", "296², 32"),
      stage(240, 176, "decoder2", "296², 32"),
      gate(199),
      stage(4, 256, "encoder3", "148², 48"),
      stage(240, 256, "decoder3", "148², 48"),
      gate(279),
      stage(122, 340, "bottleneck", "74², 64"),
      text(244, 380, "with its own gate", { size: 11, ink: "warm" }),
      ...[142, 222].flatMap((y) => [
        line([62, y], [62, y + 32], { arrow: true }),
        text(68, y + 22, "pool ½", { size: 11, ink: "soft" }),
        line([298, y + 32], [298, y + 2], { arrow: true }),
        text(292, y + 22, "up ×2", { size: 11, ink: "soft", anchor: "end" }),
      ]),
      line([62, 302], [118, 356], { arrow: true }),
      line([240, 356], [298, 304], { arrow: true }),
    ],
  ),
  maps: figure(
    {
      height: 3 * (MAP + 22),
      title: "What the layers of the trained network see",
      description:
        "Nine grey pictures of the same part of the eye: the photograph's green, one channel of each stage of the network, the map of a gate, and the probability. On the way down the maps get coarser; on the way up the vessels stand out ever more clearly.",
    },
    await Promise.all(
      maps.map(async ([name, pixels], i) => {
        const [x, y] = [4 + (i % 3) * (MAP + 8), Math.floor(i / 3) * (MAP + 22)];
        return (
          (await picture(x, y, MAP, MAP, pixels)) + text(x, y + MAP + 14, name, { size: 11, ink: "soft" })
        );
      }),
    ),
  ),
};

// The numbers and figures of chapter 12.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Program, zeros } from "@saunet/core";
import { planProgram, shareInPlace } from "@saunet/core/kernels";
import { captureInference, inspectNetwork, layersOf, loadSegmenter, saUNetV2 } from "@saunet/model";
import { fuseAll, fusions } from "../../packages/wasm/src/fusions/index.ts";
import { box, type Figure, figure, type Ink, line, text } from "../../scripts/book/svg.ts";
import { root } from "../../scripts/workspace.mjs";

const SIZE = 592;
const MB = 1e6;
const segmenter = await loadSegmenter();
const captured = captureInference(segmenter, zeros([1, SIZE, SIZE, 3]));

/** Megabytes that all calls of a program read and write. */
const traffic = ({ calls, buffers }: Program): string => {
  const ofCall = (used: Program["calls"][number]["buffers"]): number =>
    Object.values(used).reduce<number>(
      (sum, buffer) => sum + (buffer === undefined ? 0 : 4 * buffers[buffer].length),
      0,
    );
  return (calls.reduce((sum, call) => sum + ofCall(call.buffers), 0) / MB).toFixed(0);
};
const names = fusions.map(({ name }) => name);
/** The program after the first fusion, after the first two, … */
const after = names.map((_, i) => fuseAll(captured, names.slice(i + 1)));
const rows = after.flatMap((program, i) => {
  const before = after[i - 1] ?? captured;
  return program.calls.length === before.calls.length
    ? []
    : [`| \`${names[i]}\` | ${program.calls.length} | ${traffic(program)} |`];
});
const fused = after.at(-1)!;
const shared = shareInPlace(fused);
const plan = planProgram(shared);
const unshared = planProgram(captured);
/** Megabytes of all temporary arrays, were each to have a place of its own. */
const sumOf = ({ lifetimes }: typeof plan): string =>
  (lifetimes.reduce((sum, { bytes }) => sum + bytes, 0) / MB).toFixed(0);
const layers = layersOf(shared, segmenter.parameters);
const aliveAt = (call: number): number =>
  plan.lifetimes.reduce(
    (sum, { first, last, bytes }) => sum + (first <= call && call <= last ? bytes : 0),
    0,
  );
const peak = shared.calls.reduce((most, _, call) => (aliveAt(call) > aliveAt(most) ? call : most), 0);

/** Recorded runs. */
const read = (file: string): string => readFileSync(join(root, file), "utf8");
interface Bench {
  readonly machine: { readonly cpu: string; readonly node: string };
  readonly results: readonly {
    readonly name: string;
    readonly shape?: string;
    readonly threads: number;
    readonly median_ms: number;
    readonly gflops: number;
  }[];
}
const model = JSON.parse(read("bench/results/model.json")) as Bench;
const lab = JSON.parse(read("bench/results/lab.json")) as Bench;
const milliseconds = (name: string, threads: number): string =>
  model.results
    .find((each) => each.name === name && each.threads === threads)!
    .median_ms.toLocaleString("en", { maximumFractionDigits: 0 });
const naive = lab.results.find(({ name, shape }) => name === "01 naive" && shape === "encoder1.conv2")!;
const { flops } = inspectNetwork(saUNetV2, { height: SIZE, width: SIZE });

interface StepRecord {
  readonly date: string;
  readonly runs: number;
  readonly steps: readonly {
    readonly layer: string;
    readonly kernel: string;
    readonly milliseconds: number;
  }[];
}
const record = JSON.parse(read("docs/book/steps.json")) as StepRecord;
const KINDS: readonly (readonly [name: string, of: (layer: string, kernel: string) => boolean])[] = [
  ["first convolution, 3 channels", (layer) => layer === "encoder1.conv1"],
  ["3×3 convolutions", (layer, kernel) => /\.conv\d$/.test(layer) && kernel.startsWith("conv2d")],
  ["transposed convolutions", (_, kernel) => kernel === "conv2d.transposed"],
  ["normalisation, SiLU, pooling", (_, kernel) => /^(groupNorm|maxPool2d)/.test(kernel)],
  ["gates and head", () => true],
];
const spent = new Map(KINDS.map(([name]) => [name, 0]));
for (const { layer, kernel, milliseconds: ms } of record.steps) {
  const [name] = KINDS.find(([, of]) => of(layer, kernel))!;
  spent.set(name, spent.get(name)! + ms);
}
const whole = [...spent.values()].reduce((sum, ms) => sum + ms, 0);

/** A row of the laboratory's notes: what it was before and after. */
const [busyBefore, busyAfter] = read("bench/lab/NOTES.md")
  .split("\n")
  .find((row) => row.includes("while other programs use the cores"))!
  .split("|")
  .slice(2, 4)
  .map((cell) => cell.trim());

const ITEMS = 32;
export const numbers = {
  captured: captured.calls.length,
  temporaries: unshared.temporaries.length,
  sum: sumOf(unshared),
  arenaBefore: (unshared.bytes / MB).toFixed(1),
  boundBefore: (unshared.lowerBound / MB).toFixed(1),
  fusedTemporaries: plan.temporaries.length,
  fusedSum: sumOf(plan),
  arena: (plan.bytes / MB).toFixed(1),
  bound: (plan.lowerBound / MB).toFixed(1),
  peakLayer: layers[peak],
  mapMb: ((4 * SIZE * SIZE * 16) / MB).toFixed(1),
  fusions: rows.join("\n"),
  afterSilu: after[0].calls.length,
  fusedCalls: fused.calls.length,
  fusedTraffic: traffic(fused),
  capturedTraffic: traffic(captured),
  busyBefore,
  busyAfter,
  items: ITEMS,
  cpu: model.machine.cpu,
  node: model.machine.node.slice(1),
  naiveMs: (flops / 1e6 / naive.gflops).toLocaleString("en", { maximumFractionDigits: 0 }),
  tsMs: milliseconds("saunet-typescript", 1),
  eagerMs: milliseconds("saunet-eager", 1),
  oneMs: milliseconds("saunet", 1),
  twoMs: milliseconds("saunet", 2),
  onnxMs: `${milliseconds("onnxruntime-node", 1)} and ${milliseconds("onnxruntime-node", 2)}`,
  recordDate: record.date,
  runs: record.runs,
};

/** A stage's colour in the arena. */
const inkOf = (layer: string): Ink =>
  layer.startsWith("encoder") || layer === "input" ? "accent" : layer.startsWith("decoder") ? "warm" : "cool";
const [LEFT, BOTTOM, TALL] = [34, 236, 220];
const across = (call: number): number => LEFT + (call / shared.calls.length) * (354 - LEFT);
const up = (bytes: number): number => BOTTOM - (bytes / plan.bytes) * TALL;

/** A piece of work, or a time off the core. */
interface Stretch {
  readonly thread: number;
  readonly start: number;
  readonly end: number;
  readonly call: number;
}
/** When thread 2 is off its core, in items' times. */
const [OFF, ON] = [5, 17];
/** When work of some length that begins at a time is done on a thread. */
const done = (thread: number, start: number, length: number): number => {
  if (thread === 0 || start + length <= OFF || start >= ON) return start + length;
  return start < OFF ? start + length + (ON - OFF) : ON + length;
};
/** Two calls with a barrier after each; pieces of `chunk` items go to the thread that is free first. */
function simulate(chunk: number): {
  readonly pieces: readonly Stretch[];
  readonly barriers: readonly number[];
} {
  const pieces: Stretch[] = [];
  const barriers: number[] = [];
  let begin = 0;
  for (const call of [0, 1]) {
    const free = [begin, begin];
    for (let item = 0; item < ITEMS; item += chunk) {
      const thread = free[0] <= free[1] ? 0 : 1;
      const end = done(thread, free[thread], chunk);
      pieces.push({ thread, start: free[thread], end, call });
      free[thread] = end;
    }
    begin = Math.max(...free);
    barriers.push(begin);
  }
  return { pieces, barriers };
}
const [halves, taken] = [simulate(ITEMS / 2), simulate(2)];
const longest = halves.barriers[1];
const at = (time: number): number => 62 + (time / longest) * 290;
const timeline = (top: number, { pieces, barriers }: ReturnType<typeof simulate>): string =>
  [
    ...pieces.flatMap(({ thread, start, end, call }) => {
      const y = top + 28 * thread;
      const ink = call === 0 ? "accent" : "cool";
      const isCut = thread === 1 && start < ON && end > ON;
      const parts = isCut
        ? [
            [start, Math.max(start, OFF)],
            [ON, end],
          ]
        : [[start, end]];
      return parts
        .filter(([from, to]) => to > from)
        .map(([from, to]) => box(at(from), y, at(to) - at(from), 20, { ink, filled: true, radius: 1 }));
    }),
    box(at(OFF), top + 28, at(ON) - at(OFF), 20, { ink: "warm", radius: 1 }),
    text((at(OFF) + at(ON)) / 2, top + 42, "off its core", { ink: "warm", anchor: "middle", size: 11 }),
    ...[0, 1].map((thread) => text(4, top + 14 + 28 * thread, `thread ${thread + 1}`, { size: 11 })),
    ...barriers.map((time) => line([at(time), top - 6], [at(time), top + 54], { ink: "ink", dashed: true })),
  ].join("");

export const figures: Record<string, Figure> = {
  arena: figure(
    {
      height: 292,
      title: "The arena over time",
      description: `${plan.lifetimes.length} buffers in ${(plan.bytes / MB).toFixed(1)} megabytes over ${shared.calls.length} calls. Few large buffers of the outermost encoder stage on the left, smaller ones towards the bottleneck, large ones of the outermost decoder stage on the right. Maps of the skip connections stay from the way down until the way up.`,
    },
    [
      ...plan.lifetimes.map(({ first, last, bytes }, i) =>
        box(
          across(first),
          up(plan.offsets[i] + bytes),
          Math.max(1, across(Math.min(last + 1, shared.calls.length)) - across(first)),
          Math.max(0.6, (bytes / plan.bytes) * TALL),
          { ink: inkOf(layers[first]), filled: true, radius: 0 },
        ),
      ),
      line([LEFT, BOTTOM], [354, BOTTOM]),
      line([LEFT, BOTTOM - TALL], [LEFT, BOTTOM]),
      ...[0, 20, 40, 60].map((mb) => text(LEFT - 4, up(mb * MB) + 4, mb, { anchor: "end", ink: "soft" })),
      text(4, 12, "MB", { ink: "soft" }),
      text(LEFT, 252, "call 1", { ink: "soft" }),
      text(354, 252, `call ${shared.calls.length}`, { ink: "soft", anchor: "end" }),
      text(LEFT, 278, "way down", { ink: "accent" }),
      text(130, 278, "bottleneck", { ink: "cool" }),
      text(236, 278, "way up", { ink: "warm" }),
    ],
  ),
  shares: figure(
    {
      height: 224,
      title: "Two threads share items, and meet at barriers",
      description: `Thread 2 is off its core for ${ON - OFF} items' time. With fixed halves thread 1 waits for it at the barrier, and both calls end after ${longest} items' time. With items taken two at a time from a counter, thread 1 does more of them, and both calls end after ${taken.barriers[1]}.`,
    },
    [
      text(4, 14, `half of the items each: done after ${longest} items' time`, { bold: true }),
      timeline(32, halves),
      text(4, 118, `two at a time from a counter: after ${taken.barriers[1]}`, { bold: true }),
      timeline(136, taken),
      text(62, 214, "first call", { ink: "accent" }),
      text(150, 214, "second call", { ink: "cool" }),
      text(250, 214, "barriers dashed", { ink: "soft" }),
    ],
  ),
  rest: figure(
    {
      height: 40 * KINDS.length + 6,
      title: "Where the time goes",
      description: [...spent].map(([name, ms]) => `${name}: ${((100 * ms) / whole).toFixed(0)} %`).join("; "),
    },
    [...spent].flatMap(([name, ms], i) => [
      text(4, 14 + 40 * i, name),
      box(4, 19 + 40 * i, (290 * ms) / whole, 14, { ink: "accent", filled: true }),
      text(10 + (290 * ms) / whole, 30 + 40 * i, `${((100 * ms) / whole).toFixed(0)} %`, { size: 11 }),
    ]),
  ),
};

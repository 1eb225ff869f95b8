// The numbers and figures of chapter 10.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ModuleBuilder, toWat } from "@saunet/wasm/asm";
import { multiplyRun, type Tile, tileRegisters } from "../../bench/lab/wasm.ts";
import { cut } from "../../scripts/book/cut.ts";
import { box, type Figure, figure, grid, type Ink, line, text } from "../../scripts/book/svg.ts";
import { root } from "../../scripts/workspace.mjs";

/** A recorded run of `pnpm bench lab`. */
interface Lab {
  readonly machine: {
    readonly date: string;
    readonly cpu: string;
    readonly node: string;
    readonly peak_gflops: { readonly typescript: number; readonly simd: number };
  };
  readonly results: readonly {
    readonly shape: string;
    readonly name: string;
    readonly gflops: number;
    readonly share_of_peak: number;
    readonly median_ms: number;
  }[];
}
const lab = JSON.parse(readFileSync(join(root, "bench/results/lab.json"), "utf8")) as Lab;
const { machine } = lab;
const forms = lab.results.filter(({ shape }) => shape === "encoder1.conv2");
const form = (number: number): Lab["results"][number] =>
  forms.find(({ name }) => name.startsWith(String(number).padStart(2, "0")))!;
const gflops = (number: number): string => form(number).gflops.toFixed(1);
const times = (slow: number, fast: number): string =>
  (form(slow).median_ms / form(fast).median_ms).toFixed(1);
const percent = (share: number): string => (100 * share).toFixed(0);

/** How many lines of a piece of code load from an array, and how many add a product. */
function counted(code: string): { loads: number; products: number } {
  const products = code.match(/\+= \w+ \* /g)!.length;
  return { loads: code.match(/[\w\]]+\[(?:p|pixel|weight)[^\]]*\]/g)!.length, products };
}
const blocked = counted(cut("bench/lab/03-blocked.ts", "blocked", { from: "for (const end", to: "}" }).code);
const tsTile = counted(
  cut("bench/lab/06-register-tile.ts", "tiles", { from: "for (const end", to: "s23 +=" }).code,
);

/** The loop of attempt 12, as the assembler writes it. */
const TILE: Tile = { pixels: 2, vectors: 4, unroll: 1, relaxed: false };
const m = new ModuleBuilder();
m.exportMemory("memory", { initial: 1 });
m.func("tile", { params: { x: "i32", w: "i32" } }, (f, { x, w }) =>
  multiplyRun(f, TILE, tileRegisters(f, TILE), x, w, 144, 64),
);
const wat = toWat(m).split("\n");
const start = wat.findIndex((each) => each.trim().startsWith("loop"));
const loop = wat.slice(
  start,
  wat.findIndex((each, i) => i > start && each.trim().startsWith("end")),
);
const count = (pattern: RegExp): number => loop.filter((each) => pattern.test(each)).length;
const muls = count(/f32x4\.mul/);
const vectorLocals = wat.filter((each) => /\(local .* v128\)/.test(each));

/** The module of the text, byte by byte. */
const adder = new ModuleBuilder();
adder.func("add", { params: { a: "f32", b: "f32" }, results: ["f32"] }, (f, { a, b }) => f.f32.add(a, b));
const bytes = [...adder.build()];
const SECTIONS: Readonly<Record<number, string>> = {
  1: "types: one, (f32, f32) → f32",
  3: "functions: one, of type 0",
  7: 'exports: "add" is function 0',
  10: "code: get a, get b, f32.add, end",
};
const parts: { bytes: number[]; words: string }[] = [
  { bytes: bytes.slice(0, 8), words: 'the letters "\\0asm", version 1' },
];
for (let at = 8; at < bytes.length; at += 2 + bytes[at + 1])
  parts.push({ bytes: bytes.slice(at, at + 2 + bytes[at + 1]), words: SECTIONS[bytes[at]] });

export const numbers = {
  tileTimes: (form(1).median_ms / form(12).median_ms).toFixed(0),
  products: ((148 * 148 * 16 * 16 * 9) / 1e6).toFixed(1),
  date: machine.date.slice(0, 10),
  cpu: machine.cpu,
  node: machine.node.slice(1),
  peakTs: machine.peak_gflops.typescript,
  peakSimd: machine.peak_gflops.simd,
  naiveGflops: gflops(1),
  naiveShare: percent(form(1).share_of_peak),
  lineBytes: 2 * 64,
  orderGflops: gflops(2),
  orderTimes: times(1, 2),
  blockedLoads: blocked.loads,
  blockedProducts: blocked.products,
  blockedGflops: gflops(3),
  blockedTimes: times(2, 3),
  tsTileLoads: tsTile.loads,
  tsTileProducts: tsTile.products,
  tsTileGflops: gflops(6),
  moduleBytes: bytes.length,
  wat: loop
    .slice(0, 14)
    .map((each) => each.slice(4))
    .join("\n"),
  wasmLoads: count(/v128\.load/),
  wasmMuls: muls,
  wasmProducts: 4 * muls,
  wasmSums: vectorLocals.filter((each) => each.includes("$sum")).length,
  wasmRegisters: vectorLocals.length + 1,
  tileGflops: gflops(12),
  tileShare: percent(form(12).share_of_peak),
  wasmNaiveGflops: gflops(10),
  vectorsGflops: gflops(11),
  unrolledTimes: times(13, 12),
  im2colGflops: gflops(5),
};

const inkOf = (name: string): Ink =>
  /Winograd|portable|accelerate/.test(name) ? "cool" : /wasm/.test(name) ? "warm" : "accent";
const LEFT = 180;
const width = (value: number): number => 13.5 * Math.log2(value / 0.25);
const peaks = [machine.peak_gflops.typescript, machine.peak_gflops.simd];
const bottom = 30 + 20 * forms.length;

export const figures: Record<string, Figure> = {
  tile: figure(
    {
      height: 224,
      title: "A register tile of two pixels by four vectors",
      description: `On the left two inputs, each spread over the four places of a register. Above, four vectors of four weights. Where a row and a column meet is a sum of four floats. Each step loads ${count(/v128\.load/)} registers and multiplies ${muls} pairs of them, which are ${4 * muls} products.`,
    },
    [
      text(100, 14, "weights of 16 channels, in 4 vectors", { ink: "soft" }),
      ...[0, 1, 2, 3].map((v) =>
        grid(100 + 64 * v, 22, [[0, 1, 2, 3].map((lane) => 4 * v + lane)], {
          cell: 15.5,
          tall: 26,
          size: 10,
          ink: () => "cool",
        }),
      ),
      text(4, 66, "2 inputs", { ink: "soft" }),
      ...[0, 1].flatMap((p) => [
        grid(4, 76 + 48 * p, [new Array<string>(4).fill(`x${p}`)], {
          cell: 17,
          tall: 30,
          size: 10,
          ink: () => "warm",
        }),
        line([74, 91 + 48 * p], [96, 91 + 48 * p], { ink: "warm", arrow: true }),
        ...[0, 1, 2, 3].map((v) =>
          grid(100 + 64 * v, 76 + 48 * p, [[`+= x${p} · w`]], {
            cell: 62,
            tall: 30,
            size: 10.5,
            ink: () => "accent",
          }),
        ),
      ]),
      ...[0, 1, 2, 3].map((v) => line([131 + 64 * v, 50], [131 + 64 * v, 72], { ink: "cool", arrow: true })),
      text(100, 172, "8 sums of four floats stay where they are", { ink: "accent" }),
      text(4, 196, `One step: ${count(/v128\.load/)} loads, ${muls} · 4 = ${4 * muls} products.`, {
        bold: true,
      }),
      text(4, 214, "Then the next tap or channel: new inputs, new weights.", { ink: "soft" }),
    ],
  ),
  bytes: figure(
    {
      height: 40 + 42 * parts.length,
      title: "The bytes of a WebAssembly module",
      description: parts
        .map(({ bytes: part, words }) => `${words}: ${part.map((byte) => hex(byte)).join(" ")}`)
        .join(". "),
    },
    [
      ...parts.flatMap(({ bytes: part, words }, row) => [
        text(4, 16 + 42 * row, words, { ink: "soft" }),
        grid(4, 22 + 42 * row, [part.map(hex)], {
          cell: 24,
          tall: 19,
          size: 11,
          ink: (_, i) => (row === 0 ? undefined : i === 0 ? "warm" : i === 1 ? "cool" : "accent"),
        }),
      ]),
      text(4, 28 + 42 * parts.length, "section", { ink: "warm", size: 11 }),
      text(70, 28 + 42 * parts.length, "its length", { ink: "cool", size: 11 }),
      text(150, 28 + 42 * parts.length, "what is in it", { ink: "accent", size: 11 }),
    ],
  ),
  ladder: figure(
    {
      height: bottom + 20,
      title: "The laboratory's forms of one convolution",
      description: forms.map(({ name, gflops: speed }) => `${name}: ${speed} GFLOP/s`).join("; "),
    },
    [
      text(356, 14, "GFLOP/s", { ink: "soft", size: 11, anchor: "end" }),
      ...[0.5, 1, 2, 4, 8, 16, 32, 64, 128].map((value) =>
        line([LEFT + width(value), 18], [LEFT + width(value), bottom - 6]),
      ),
      ...peaks.map((peak, i) =>
        [
          line([LEFT + width(peak), 18], [LEFT + width(peak), bottom - 6], { ink: "ink", dashed: true }),
          text(
            LEFT + width(peak) + (i === 0 ? 20 : -6),
            bottom + 8,
            i === 0 ? "peak: TypeScript" : "vectors",
            {
              size: 10.5,
              anchor: i === 0 ? "end" : "start",
            },
          ),
        ].join(""),
      ),
      ...forms.flatMap(({ name, gflops: speed }, i) => {
        const y = 24 + 20 * i;
        return [
          text(4, y + 11, name.replace(", sums in memory", "").replace(", 4 steps a round", ", unrolled"), {
            size: 11,
          }),
          box(LEFT, y, width(speed), 14, { ink: inkOf(name), filled: true }),
          text(356, y + 11, speed.toFixed(1), { size: 10.5, anchor: "end" }),
        ];
      }),
    ],
  ),
};

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

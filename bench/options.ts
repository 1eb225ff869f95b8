// The options that every bench takes.

import { parseArgs } from "node:util";
import { UsageError } from "./usage.ts";

/** What the user asked for. */
export interface Options {
  readonly format: "table" | "json" | "csv";
  /** Also keep the JSON here. */
  readonly out: string | undefined;
  readonly quick: boolean;
  readonly measure: boolean;
  readonly peers: readonly string[] | undefined;
  readonly shapes: string | undefined;
  readonly attempts: readonly string[] | undefined;
  /** `[height, width]` */
  readonly size: readonly [number, number] | undefined;
  readonly seconds: number | undefined;
  readonly threads: number | undefined;
  /** What stands without a name in front. */
  readonly operands: readonly string[];
  /** What to type to run this again. */
  readonly command: string;
}

/** One option a line, for the help. */
export const OPTIONS_HELP = `  --json, --csv       print JSON or CSV instead of a table
  --out FILE          also write the JSON there
  --quick             the short run
  --measure           report: take all results anew
  --peers A,B         model, train, matmul: only these peers
  --size N or HxW     model, train, layers: rows and columns, multiples of 8 (592)
  --shapes NAME       kernels, lab: the list bench/shapes/NAME.txt
  --attempts 1,5      lab: only these numbers
  --threads N         kernels, layers: threads of the accelerated form (1)
  --seconds S         how long each contender is timed`;

/** Reads the arguments that follow the name of the bench. */
export function parseOptions(bench: string, args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  if (values.json && values.csv) throw new UsageError("--json and --csv: wants one of them");
  return {
    format: values.json ? "json" : values.csv ? "csv" : "table",
    out: values.out,
    quick: values.quick ?? false,
    measure: values.measure ?? false,
    peers: values.peers?.split(","),
    shapes: values.shapes,
    attempts: values.attempts?.split(","),
    size: values.size === undefined ? undefined : parseSize(values.size),
    seconds: values.seconds === undefined ? undefined : parseSeconds(values.seconds),
    threads: values.threads === undefined ? undefined : parseThreads(values.threads),
    operands: positionals,
    command: ["pnpm bench", bench, ...args].join(" "),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: "boolean" },
        csv: { type: "boolean" },
        quick: { type: "boolean" },
        measure: { type: "boolean" },
        out: { type: "string" },
        peers: { type: "string" },
        shapes: { type: "string" },
        attempts: { type: "string" },
        size: { type: "string" },
        seconds: { type: "string" },
        threads: { type: "string" },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message.split("\n")[0]);
  }
}

function parseSize(text: string): readonly [number, number] {
  const match = /^(\d+)(?:x(\d+))?$/.exec(text);
  const size: [number, number] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (match === null || !size.every((side) => side > 0 && side % 8 === 0)) {
    throw new UsageError(`--size: wants a multiple of 8, or two as in 592x704, but is "${text}"`);
  }
  return size;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0)) throw new UsageError(`--seconds: wants a number above 0 but is "${text}"`);
  return seconds;
}

function parseThreads(text: string): number {
  const threads = Number(text);
  if (!(Number.isInteger(threads) && threads >= 1 && threads <= 64)) {
    throw new UsageError(`--threads: wants 1 to 64 but is "${text}"`);
  }
  return threads;
}

/** Rows and columns of the photograph, where the bench has one. */
export function sizeOf({ size }: Options, usual: number): readonly [number, number] {
  return size ?? [usual, usual];
}

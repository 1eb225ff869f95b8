// The options of the commands: one word means the same wherever it is taken, and a command refuses what it has no use for.

import { Command, CommanderError } from "commander";
import { type Settings, USUAL } from "./settings.ts";
import { UsageError } from "./usage.ts";

/** What the user typed. */
export interface Options extends Settings {
  readonly format: "table" | "json" | "csv";
  /** Also keep the result file here. */
  readonly out: string | undefined;
  readonly resume: boolean;
  readonly repeat: number;
  /** Minutes that the repetitions are spread over. */
  readonly over: number;
  readonly measure: boolean;
  /** The largest slowdown that is let pass, as a share. */
  readonly bound: number | undefined;
  readonly browser: readonly string[];
  /** What two things are compared by, beside revisions. */
  readonly nodeA: string | undefined;
  readonly nodeB: string | undefined;
  readonly flagsA: readonly string[] | undefined;
  readonly flagsB: readonly string[] | undefined;
  /** What stood after `--`: the command line of what is measured. */
  readonly behind: readonly string[];
  /** What to type to run this again. */
  readonly command: string;
}

interface Option {
  readonly flags: string;
  readonly about: string;
  readonly read?: (text: string, before: unknown) => unknown;
  /** What it is where it is not typed, if that is not the same for all commands. */
  readonly usual?: unknown;
}

const list = (text: string): readonly string[] => text.split(",").filter((word) => word !== "");
const further = (text: string, before: unknown): readonly string[] => [...((before as string[]) ?? []), text];
const words = (text: string): readonly string[] => text.split(" ").filter((word) => word !== "");

/** One more than the fewest by which two things can be told apart, since a slow minute may fall on one of a pair. */
const USUAL_PAIRS = 7;

/** Every option, by the name that its value has in {@link Options}. */
const OPTIONS = {
  json: { flags: "--json", about: "print the result file instead of a table" },
  csv: { flags: "--csv", about: "print a row a line instead of a table" },
  out: { flags: "--out <file>", about: "also write the result file there; it grows beside it, row by row" },
  resume: { flags: "--resume", about: "go on with what an earlier run left beside --out" },
  repeat: {
    flags: "--repeat <n>",
    about: "measure everything n times, in fresh processes; compare wants 6 (1)",
    read: wholeNumber("--repeat", 1, 1000),
  },
  over: {
    flags: "--over <minutes>",
    about: "spread the repetitions over so long, since machines have slow hours",
    read: positive("--over"),
  },
  quick: { flags: "--quick", about: "the short run" },
  seconds: { flags: "--seconds <s>", about: "how long each contender is timed", read: positive("--seconds") },
  timeout: {
    flags: "--timeout <s>",
    about: `end a contender that gives no sign of life for s seconds (${USUAL.timeout})`,
    read: positive("--timeout"),
  },
  peers: { flags: "--peers <a,b>", about: "these peers", read: list },
  size: { flags: "--size <n|HxW>", about: "rows and columns, multiples of 8", read: readSize },
  shapes: { flags: "--shapes <list>", about: "the list bench/shapes/<list>.txt, or a file by its path" },
  shape: {
    flags: "--shape <text>",
    about: 'a convolution in words, such as "56x56x64 -> 64, 3x3, stride 2"; may be repeated',
    read: further,
  },
  kernels: { flags: "--kernels <a,b>", about: "only forward, transposed or filterGradient", read: list },
  algorithms: {
    flags: "--algorithms <a,b>",
    about: "also ours kept to direct, winograd4 or winograd6",
    read: list,
  },
  attempts: { flags: "--attempts <1,5>", about: "only the attempts of these numbers", read: list },
  attempt: {
    flags: "--attempt <file>",
    about: "also your own kernel, a .ts, .js or .wasm file; may be repeated",
    read: further,
  },
  threads: {
    flags: "--threads <1,2>",
    about: "threads of the accelerated form and the peers (1)",
    read: readThreads,
  },
  oneThreads: { flags: "--threads <n>", about: "threads of the accelerated form (1)", read: readThreads },
  cold: { flags: "--cold", about: "also with caches that hold nothing of it" },
  counters: { flags: "--counters", about: "count hardware events by perf, where the host does" },
  browser: {
    flags: "--browser <a,b>",
    about: "measure in chromium or firefox instead of Node",
    read: list,
  },
  measure: { flags: "--measure", about: "take all results anew first" },
  bound: {
    flags: "--bound <percent>",
    about: "exit with 1 where a row is slower by more than this",
    read: positive("--bound"),
  },
  pairs: {
    flags: "--repeat <n>",
    about: "measure everything n times, in fresh processes of both",
    read: wholeNumber("--repeat", 1, 1000),
    usual: USUAL_PAIRS,
  },
  pair: {
    flags: "--out <file>",
    about: "also write the result files there, with a or b in the place of its %",
  },
  page: { flags: "--out <file>", about: "where the document goes (bench.html)" },
  nodeA: { flags: "--node-a <node>", about: "Node of the first: its path, or a version that npm has" },
  nodeB: { flags: "--node-b <node>", about: "Node of the second" },
  flagsA: { flags: "--flags-a <flags>", about: "flags of the first Node, as one word", read: words },
  flagsB: { flags: "--flags-b <flags>", about: "flags of the second Node", read: words },
} satisfies Readonly<Record<string, Option>>;

export type OptionName = keyof typeof OPTIONS;

/** A command, as the user sees it. */
export interface CommandEntry {
  readonly name: string;
  readonly about: string;
  /** What follows its name, in commander's notation. */
  readonly operands?: string;
  readonly options: readonly OptionName[];
  /** What it wants after `--`, for the help; refused where it wants nothing. */
  readonly behind?: string;
  readonly run: (options: Options) => Promise<number>;
}

/** Reads the command line and runs the command that it names; gives the exit code. */
export async function runCommand(entries: readonly CommandEntry[], args: readonly string[]): Promise<number> {
  let code = 0;
  const [own, behind] = cutAt(args, "--");
  const program = new Command("pnpm bench")
    .description("times kernels and networks against each other, and says what the times are worth")
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .helpCommand("help [command]", "this help, or that of a command");
  for (const { name, about, operands, options, behind: wanted, run } of entries) {
    const command = program.command(name).description(about).exitOverride();
    command
      .configureOutput({ writeErr: () => {} })
      .allowExcessArguments(false)
      .showHelpAfterError(false);
    if (operands !== undefined)
      command.argument(operands.split(" ")[0], operands.split(" ").slice(1).join(" "));
    for (const option of options) {
      const { flags, about: text, read, usual }: Option = OPTIONS[option];
      if (read === undefined) command.option(flags, text);
      else command.option(flags, text, read, usual);
    }
    if (wanted !== undefined) command.usage(`[options] ${operands?.split(" ")[0] ?? ""} -- ${wanted}`);
    command.action(async () => {
      if (behind.length > 0 && wanted === undefined)
        throw new UsageError(`${name}: wants nothing behind --, but there is "${behind.join(" ")}"`);
      const typed = ["pnpm bench", ...args].join(" ");
      code = await run({ ...optionsOf(command.opts(), command.args, typed), behind });
    });
  }
  try {
    await program.parseAsync([...own], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help is no mistake, unless there was nothing else to say.
    if (error.code === "commander.help" || error.code === "commander.helpDisplayed") return 0;
    throw new UsageError(error.message.replace(/^error: /, "").split("\n")[0]);
  }
  return code;
}

/** What stands before a word and what after it. */
function cutAt(args: readonly string[], word: string): [readonly string[], readonly string[]] {
  const at = args.indexOf(word);
  return at < 0 ? [args, []] : [args.slice(0, at), args.slice(at + 1)];
}

function optionsOf(
  found: Readonly<Record<string, unknown>>,
  operands: readonly string[],
  command: string,
): Omit<Options, "behind"> {
  const { json, csv, threads, bound, ...rest } = found;
  if (json && csv) throw new UsageError("--json and --csv: wants one of them");
  if (rest.resume && rest.out === undefined)
    throw new UsageError("--resume: wants --out, which says what to go on with");
  return {
    ...USUAL,
    ...{ out: undefined, resume: false, repeat: 1, over: 0, measure: false, browser: [] },
    ...{ nodeA: undefined, nodeB: undefined, flagsA: undefined, flagsB: undefined },
    ...rest,
    ...(threads !== undefined && { threads: threads as readonly number[] }),
    bound: bound === undefined ? undefined : (bound as number) / 100,
    format: json ? "json" : csv ? "csv" : "table",
    ...{ operands, command },
  };
}

/** What the processes that measure are told. */
export function settingsOf(options: Options): Settings {
  return Object.fromEntries(
    Object.keys(USUAL).map((key) => [key, options[key as keyof Settings]]),
  ) as unknown as Settings;
}

function readSize(text: string): readonly [number, number] {
  const match = /^(\d+)(?:x(\d+))?$/.exec(text);
  const size: [number, number] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (match === null || !size.every((side) => side >= 32 && side % 8 === 0)) {
    throw new UsageError(`--size: wants a multiple of 8 from 32 on, or two as in 592x704, but is "${text}"`);
  }
  return size;
}

function positive(name: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!(value > 0 && Number.isFinite(value)))
      throw new UsageError(`${name}: wants a number above 0 but is "${text}"`);
    return value;
  };
}

function wholeNumber(name: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!(Number.isInteger(value) && value >= least && value <= most))
      throw new UsageError(`${name}: wants ${least} to ${most} but is "${text}"`);
    return value;
  };
}

function readThreads(text: string): readonly number[] {
  const read = wholeNumber("--threads", 1, 64);
  return [...new Set(text.split(",").map((each) => read(each)))];
}

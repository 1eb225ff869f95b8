// What the command shows: tables and JSON on stdout, progress on stderr while somebody is looking.

import { MultiBar } from "cli-progress";
import type { EndRequest } from "./ending.ts";
import { printable, printableJson, printableLines } from "./terminal.ts";

/** A stream that may be a terminal. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean };

/** What surrounds a run of the command; the process in earnest, buffers in tests. */
export interface Host {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Relative paths start here. */
  readonly cwd: string;
  /** Show the stack of an error. */
  readonly debug?: boolean;
  /** Calls the listener when the command is to end, instead of ending the process; returns how to stop listening. */
  readonly onEndRequest?: (listener: (request: EndRequest) => void) => () => void;
}

/** Writes the one JSON document of a command. Figures that are not defined become null. */
export function writeJson(host: Host, document: unknown): void {
  host.stdout.write(`${printableJson(JSON.stringify(document))}\n`);
}

/** Writes text of several lines to stdout. */
export function print(host: Host, text: string): void {
  host.stdout.write(printableLines(text));
}

/** Writes one line to stdout. */
export function printLine(host: Host, line: string): void {
  host.stdout.write(`${printable(line)}\n`);
}

/** Writes one line of complaint to stderr. */
export function complain(host: Host, line: string): void {
  host.stderr.write(`saunet: ${printable(line)}\n`);
}

type Rows = readonly (readonly (string | number)[])[];

/** Columns side by side: texts flush left, numbers flush right under their heading. */
export function table([heading, ...rows]: Rows): string {
  return sideBySide(rows, heading);
}

/** {@link table} that may do without a heading. */
export function sideBySide(body: Rows, heading?: Rows[number]): string {
  const rows = (heading === undefined ? body : [heading, ...body]).map((row) =>
    row.map((value) => printable(String(value))),
  );
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const numeric = rows[0].map((_, column) => body.every((row) => /^[-\d.,]*$/.test(String(row[column]))));
  const cell = (value: string, column: number) =>
    numeric[column] ? value.padStart(widths[column]) : value.padEnd(widths[column]);
  return rows.map((row) => row.map(cell).join("  ").trimEnd()).join("\n");
}

/** A count with its noun: 1 image, 2 images. */
export const counted = (count: number, noun: string): string => `${count} ${count === 1 ? noun : `${noun}s`}`;

/** What a picture is warned of that does not look as photographs of the fundus do. */
export const doubtsOf = (input: string, warnings: readonly string[]): string =>
  `warning: ${input}: ${warnings.join("; ")}. Is it a fundus photograph?`;

/** Bytes in millions, one place after the point. */
export const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

/** Seconds as a person says them: `8.2 s`, `12 min`, `3.5 h`. */
export function duration(seconds: number): string {
  if (seconds < 100) return `${seconds.toFixed(1)} s`;
  if (seconds < 6000) return `${(seconds / 60).toFixed(0)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** Seconds since `start`, a reading of `performance.now()`. */
export function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}

/** A bar on stderr. Where stderr is no terminal there is no bar, only the lines. */
export interface Progress {
  /** One more is done; `note` follows the bar. */
  advance(note: string): void;
  /** Changes what follows the bar. */
  show(note: string): void;
  /** Writes a line of results to stdout, above the bar. */
  print(line: string): void;
  /** Writes a line of complaint to stderr, above the bar. */
  warn(line: string): void;
  stop(): void;
}

/** Starts a bar of `total` steps. */
export function progress(host: Host, total: number): Progress {
  const { stdout, stderr } = host;
  const print = (line: string) => void stdout.write(`${printable(line)}\n`);
  const warn = (line: string) => complain(host, line);
  if (stderr.isTTY !== true) return { advance() {}, show() {}, print, warn, stop() {} };
  const bars = new MultiBar({
    stream: stderr,
    format: "{bar} {value}/{total}  {note}",
    barsize: 24,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    clearOnComplete: true,
    // The terminal's own wrapping stays on, since an interrupted run could not switch it on again.
    linewrap: true,
    forceRedraw: true,
  });
  const bar = bars.create(total, 0, { note: "" });
  const above = (line: string) => {
    bars.log(`${printable(line)}\n`);
    bars.update();
  };
  // The work between two steps leaves no time for the bar's own timer, so each change is drawn at once.
  return {
    advance(note) {
      bar.increment(1, { note: printable(note) });
      bars.update();
    },
    show(note) {
      bar.update({ note: printable(note) });
      bars.update();
    },
    // A terminal shows both streams, so the line goes where the bar is drawn.
    print: stdout.isTTY === true ? above : print,
    warn: (line) => above(`saunet: ${line}`),
    stop: () => bars.stop(),
  };
}

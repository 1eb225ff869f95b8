// The lines of log.jsonl.

import { z } from "zod";
import { WorkError } from "./errors.ts";
import { validate } from "./validate.ts";

const count = z.int().min(1);
/** JSON has null for what is no number. */
const figure = z.number().nullable();
const counted = { epoch: count, step: count, loss: figure };

/** One training step. */
const stepSchema = z.looseObject({ ...counted, learningRate: z.number().min(0) });

/** The end of an epoch; `f1` where it was validated. */
const epochSchema = z.looseObject({
  ...counted,
  f1: z.number().min(0).max(1).nullish(),
  seconds: z.number().min(0),
});

/** What a newer version may log besides. */
const otherSchema = z.looseObject({ kind: z.string(), step: z.int().exactOptional() });

/** A line of the log and what it says. */
export type LogLine = { readonly line: string } & (
  | { readonly kind: "step"; readonly entry: z.infer<typeof stepSchema> }
  | { readonly kind: "epoch"; readonly entry: z.infer<typeof epochSchema> }
  | { readonly kind: "other"; readonly entry: z.infer<typeof otherSchema> }
);

/**
 * Reads the log of a run. A run may have been killed while it wrote, so a last line without its end is left out.
 *
 * @throws WorkError on a line that is not a log entry, naming it
 */
export function parseLog(text: string): LogLine[] {
  const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
  const parsed: LogLine[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "") continue;
    try {
      parsed.push(parseLine(line));
    } catch (error) {
      throw new WorkError(`line ${index + 1} ${(error as Error).message}`);
    }
  }
  return parsed;
}

function parseLine(line: string): LogLine {
  let found: { readonly kind?: unknown } | null;
  try {
    found = JSON.parse(line);
  } catch {
    throw new WorkError(`is no JSON: ${line.slice(0, 40)}`);
  }
  try {
    const kind = found?.kind;
    if (kind === "step") return { line, kind, entry: validate(stepSchema, found) };
    if (kind === "epoch") return { line, kind, entry: validate(epochSchema, found) };
    return { line, kind: "other", entry: validate(otherSchema, found) };
  } catch (error) {
    throw new WorkError(`is no line of a training log: ${(error as Error).message}`);
  }
}

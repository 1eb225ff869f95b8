// Which failures end the command, with which exit code, and how each is reported in one line.
//
//   2  the command line asks for something that makes no sense: nothing was done
//   1  the work failed: a file that is missing or damaged, a folder that cannot be written, a loss that is no number
//
// docs/command.md lists all exit codes, those of a command that was asked to end among them.

import { SafetensorsError } from "@saunet/core";
import { DatasetError, ImageFileError, knownSystemReason } from "@saunet/data/files";
import { CheckpointError, DivergedError, WeightsError } from "@saunet/model";
import { KernelError } from "@saunet/wasm";
import { CommanderError } from "commander";
import { BatchesError } from "./batch-stream.ts";
import { EndedError } from "./ending.ts";

/** A command line that makes no sense: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Work that failed, reported to the user of the command: exit code 1. */
export class WorkError extends Error {
  override readonly name = "WorkError";
}

export const DONE = 0;
export const FAILED = 1;
export const BAD_USAGE = 2;

/** The exit code of a command that a signal ended: 129 for SIGHUP, 130 for SIGINT, 141 for SIGPIPE, 143 for SIGTERM. */
export const signalled = (signal: number): number => 128 + signal;

/** The exit code that an error ends the command with. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof EndedError) return error.exitCode;
  return error instanceof UsageError || error instanceof CommanderError ? BAD_USAGE : FAILED;
}

/** Errors whose message is meant for the user as it stands. RangeErrors tell of sizes, in shapes and in memory. */
const EXPECTED = [
  UsageError,
  WorkError,
  EndedError,
  BatchesError,
  CommanderError,
  ImageFileError,
  DatasetError,
  WeightsError,
  CheckpointError,
  SafetensorsError,
  DivergedError,
  KernelError,
  RangeError,
];

/** Tells an error in one line. */
export function explain(error: unknown): string {
  return describe(error)
    .replace(/^error: /, "")
    .trim()
    .replace(/\s*\n\s*/g, " ");
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return `unexpected: ${String(error)}`;
  if (EXPECTED.some((kind) => error instanceof kind)) return error.message;
  return (
    knownSystemReason(error) ?? `unexpected ${error.name}: ${error.message} (SAUNET_DEBUG=1 shows where)`
  );
}

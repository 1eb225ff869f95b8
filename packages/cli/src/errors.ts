// Which failures end the command, with which exit code, and how each is told in one line.
//
//   2  the command line asks for something that makes no sense: nothing was done
//   1  the work failed: a file that is missing or damaged, a folder that cannot be written, a loss that is no number

import { SafetensorsError } from "@saunet/core";
import { DatasetError, ImageFileError } from "@saunet/data/files";
import { DivergedError, WeightsError } from "@saunet/model";
import { CommanderError } from "commander";

/** A command line that makes no sense: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Work that failed, told in words for whoever typed the command: exit code 1. */
export class WorkError extends Error {
  override readonly name = "WorkError";
}

export const DONE = 0;
export const FAILED = 1;
export const BAD_USAGE = 2;
/** Ended by Ctrl-C: 128 and the number of the signal. */
export const INTERRUPTED = 130;

/** The exit code that an error ends the command with. */
export function exitCodeOf(error: unknown): number {
  return error instanceof UsageError || error instanceof CommanderError ? BAD_USAGE : FAILED;
}

/** What the operating system says most often, in words. */
const SYSTEM: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EDQUOT: "the disk quota is used up",
  EEXIST: "a file is in the way of a folder",
  EFBIG: "the file would be too large",
  EISDIR: "is a folder, not a file",
  ENAMETOOLONG: "the name is too long",
  ENOENT: "no such file or folder",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of the path is a file, not a folder",
  EPERM: "not permitted",
  EROFS: "the disk can only be read",
};

/** Errors whose message is meant for the user as it stands. RangeErrors tell of sizes, in shapes and in memory. */
const EXPECTED = [
  UsageError,
  WorkError,
  CommanderError,
  ImageFileError,
  DatasetError,
  WeightsError,
  SafetensorsError,
  DivergedError,
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
  const reason = SYSTEM[(error as NodeJS.ErrnoException).code ?? ""];
  return reason ?? `unexpected ${error.name}: ${error.message} (SAUNET_DEBUG=1 shows where)`;
}

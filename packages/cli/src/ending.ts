// Commands that are asked to end before their work is done: by a signal, or because nobody can hear them any more.

import type { Host } from "./output.ts";

/** Why a command is to end, and what its exit code will be. */
export interface EndRequest {
  readonly exitCode: number;
  /** In words, the beginning of a line. */
  readonly reason: string;
  /** Whether a person or another program asked for it; otherwise the command's own output failed. */
  readonly isSignal: boolean;
}

/** Work that has ended because it was asked to. The message says what was done until then. */
export class EndedError extends Error {
  override readonly name = "EndedError";
  readonly exitCode: number;

  constructor({ reason, exitCode }: EndRequest, done: string) {
    super(`${reason}: ${done}`);
    this.exitCode = exitCode;
  }
}

/**
 * Does work that can end early and in good order. Without this a signal ends the process at once.
 *
 * @param work is given a signal that is aborted when the command is asked to end; {@link requestOf} tells why
 */
export async function untilAsked<T>(host: Host, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stopListening = host.onEndRequest?.((request) => controller.abort(request));
  try {
    return await work(controller.signal);
  } finally {
    stopListening?.();
  }
}

/** Why a signal was aborted; undefined where it was not. */
export function requestOf(signal: AbortSignal): EndRequest | undefined {
  return signal.aborted ? (signal.reason as EndRequest) : undefined;
}

/** @throws EndedError where the command was asked to end */
export function throwIfAsked(signal: AbortSignal, done: () => string): void {
  const request = requestOf(signal);
  if (request !== undefined) throw new EndedError(request, done());
}

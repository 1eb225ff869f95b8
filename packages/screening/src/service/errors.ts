// What a request is refused with.

import { PhotographError } from "../compute.ts";
import { LostError } from "../computer.ts";
import { FullError } from "./line.ts";

/** A refusal with its status. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** The client has gone: nobody hears the answer. */
export class GoneError extends Error {
  override readonly name = "GoneError";
}

/** What nginx logs for a client that closed the connection. */
const CLIENT_CLOSED_REQUEST = 499;

/** The status and the words of an error; words that are ours where it is unexpected. */
export function statusOf(error: unknown): { readonly status: number; readonly message: string } {
  const { message, statusCode, code } = error as Error & { statusCode?: number; code?: string };
  if (error instanceof PhotographError) return { status: 422, message };
  if (error instanceof FullError) return { status: 429, message };
  if (error instanceof LostError) return { status: 503, message };
  if (error instanceof GoneError || code === "ECONNRESET")
    return { status: CLIENT_CLOSED_REQUEST, message: "the client closed the connection" };
  if (statusCode !== undefined && (statusCode < 500 || error instanceof HttpError))
    return { status: statusCode, message };
  return { status: 500, message: "unexpected failure; the log of the service says more" };
}

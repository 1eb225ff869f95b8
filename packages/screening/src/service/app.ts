// What the routes are made of.

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest } from "fastify";
import type { Answer, Request, WeightsReference } from "../compute.ts";
import type { KeptResults } from "./kept-results.ts";
import type { Metrics } from "./metrics.ts";

/** What a request may take. */
export interface Limits {
  /** Of a body. */
  readonly maxBytes: number;
  readonly maxPixels: number;
  /** Seconds for a body to arrive, and again from then until the answer. */
  readonly seconds: number;
  /** Requests that wait beside the one that is computed. */
  readonly waiting: number;
}

/** What is served. */
export interface Served {
  /** The network's name, which is in addresses. */
  readonly name: string;
  readonly weights: WeightsReference;
  /** Kinds of pictures, as `saunet segment` writes them. */
  readonly kinds: readonly string[];
  /** Names of the classes that it tells apart, the background first. */
  readonly classes?: readonly string[] | undefined;
}

/** Fastify with types from schemas. */
export type App = FastifyInstance<
  Server,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What routes are made of. */
export interface Work {
  readonly served: Served;
  readonly limits: Limits;
  readonly version: string;
  /** Whether a request would be computed now or soon. */
  readonly isReady: () => boolean;
  /**
   * Computes when its turn comes.
   *
   * @throws what `statusOf` turns into an answer
   */
  readonly compute: (from: FastifyRequest, request: Omit<Request, "weights">) => Promise<Answer>;
  readonly results: KeptResults;
  readonly metrics: Metrics;
}

/** Configuration of a route whose requests take a place in the line. */
export const computingRoute = { computes: true } as const;

declare module "fastify" {
  interface FastifyContextConfig {
    /** Whether a request takes a place in the line. */
    computes?: boolean;
  }
  interface FastifyRequest {
    /** Says that the body has arrived. */
    releaseBody: () => void;
  }
}

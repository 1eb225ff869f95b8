// The HTTP service: what every request passes, and how the service ends. Routes are in segmentations.ts, inference.ts and
// about.ts.

import { createHash, timingSafeEqual } from "node:crypto";
import accepts from "@fastify/accepts";
import multipart from "@fastify/multipart";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import fastify, { type FastifyReply, type FastifyRequest, LogController } from "fastify";
import type { Computer } from "../computer.ts";
import { addAbout } from "./about.ts";
import type { App, Limits, Served, Work } from "./app.ts";
import { GoneError, HttpError, statusOf } from "./errors.ts";
import { addInference } from "./inference.ts";
import { keptResults } from "./kept-results.ts";
import { FullError, waitingLine } from "./line.ts";
import { metricsOf } from "./metrics.ts";
import { addSegmentations, withPhotographBody } from "./segmentations.ts";

export interface ServiceOptions {
  readonly computer: Computer;
  readonly served: Served;
  readonly limits: Limits;
  /** Of the package. */
  readonly version: string;
  /** Requests must bear it where it is there. */
  readonly token?: string | undefined;
  /** Takes one JSON document per line. */
  readonly log: { write(line: string): void };
}

export interface Service {
  readonly app: App;
  /** Answers that it is not ready and takes no more photographs; resolves when those that it has are answered. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Bodies that are being received, per place in the line: a slow client takes the place of none that waits, and there is a
 * limit to what is held in memory.
 */
const BODIES_PER_PLACE = 4;

export async function createService(options: ServiceOptions): Promise<Service> {
  const { computer, served, limits, version, token, log } = options;
  const line = waitingLine(limits.waiting);
  const results = keptResults();
  const metrics = metricsOf({ waiting: () => line.length, losses: () => computer.losses });
  let isDraining = false;
  let bodies = 0;
  const mostBodies = BODIES_PER_PLACE * (limits.waiting + 1);

  const app: App = fastify({
    bodyLimit: limits.maxBytes,
    requestTimeout: limits.seconds * 1000,
    forceCloseConnections: "idle",
    // Node swaps the two times where headers may take longer than the whole request, as they may by default.
    http: {
      headersTimeout: limits.seconds * 1000,
      connectionsCheckingInterval: Math.min(1000, limits.seconds * 250),
    },
    routerOptions: { maxParamLength: 200 },
    // Nothing that was asked for is left out in silence.
    ajv: { customOptions: { removeAdditional: false } },
    // What a request is called, where it comes from and what it asks for stays out of the log.
    logController: new LogController({ disableRequestLogging: true }),
    logger: { level: "info", stream: log, base: null, serializers: { err: (error) => errorForLog(error) } },
  }).withTypeProvider<TypeBoxTypeProvider>();

  const compute: Work["compute"] = async (from, request) => {
    const gone = new AbortController();
    const onClose = () => gone.abort(new GoneError("the client closed the connection"));
    from.raw.socket.once("close", onClose);
    const late = AbortSignal.timeout(limits.seconds * 1000);
    const waits = AbortSignal.any([gone.signal, late]);
    try {
      const answer = await line.run(async () => {
        const start = performance.now();
        // Whoever is gone by now is not computed for; but what has begun is only ended by its time.
        const found = await computer.segment({ ...request, weights: served.weights }, late);
        metrics.segmented((performance.now() - start) / 1000, found.figures.width * found.figures.height);
        return found;
      }, waits);
      return answer;
    } catch (error) {
      if (late.aborted && error === late.reason)
        throw new HttpError(504, `the answer took longer than ${limits.seconds} seconds`);
      throw error;
    } finally {
      from.raw.socket.off("close", onClose);
    }
  };

  if (token !== undefined) requireToken(app, token);
  app.addHook("onRequest", async (request, reply) => {
    if (request.routeOptions.config.computes !== true) return;
    if (isDraining) throw new HttpError(503, "the service is ending");
    if (line.isFull || bodies >= mostBodies) throw new FullError("too many requests wait already");
    bodies++;
    let isCounted = true;
    const release = () => {
      if (isCounted) bodies--;
      isCounted = false;
    };
    request.releaseBody = release;
    reply.raw.once("close", release);
  });
  app.decorateRequest("releaseBody", () => {});
  app.addHook("preHandler", async (request) => request.releaseBody());
  app.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "none";
    metrics.request(route, request.method, reply.statusCode);
    request.log.info(
      { method: request.method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) },
      "answered",
    );
  });
  const routes = methodsByAddress(app);
  const nothingHere = (request: FastifyRequest, reply: FastifyReply) => {
    const allowed = routes(request.url);
    if (allowed.length === 0) return reply.status(404).send({ error: "there is nothing at this address" });
    const error = `${request.method} is not for this address; ${allowed.join(", ")} are`;
    return reply.status(405).header("Allow", allowed.join(", ")).send({ error });
  };
  app.setNotFoundHandler(nothingHere);
  app.setErrorHandler((error, request, reply) => {
    // Of a method that no route has, even the body is judged first.
    if (request.is404 && !(error instanceof HttpError)) return nothingHere(request, reply);
    const { status, message } = statusOf(error);
    if (status >= 500) request.log.error({ err: error }, "failed");
    if (status === 429 || status === 503) reply.header("Retry-After", line.retryAfter);
    if (status === 401) reply.header("WWW-Authenticate", "Bearer");
    return reply.status(status).type("application/json").send({ error: message });
  });

  await app.register(accepts);
  await app.register(multipart, { limits: { files: 1, parts: 1, fields: 0, fileSize: limits.maxBytes } });
  await app.register(swagger, {
    openapi: {
      openapi: "3.0.3",
      info: {
        title: "saunet serve",
        description: "Vessels of fundus photographs. No medical device: for research alone.",
        version,
      },
      ...(token !== undefined && {
        components: { securitySchemes: { bearer: { type: "http", scheme: "bearer" } } },
        security: [{ bearer: [] }],
      }),
    },
    transform: withPhotographBody,
  });
  await app.register(swaggerUi, { routePrefix: "/docs" });
  const isReady = () => !isDraining && computer.isUp;
  const work: Work = { served, limits, version, isReady, compute, results, metrics };
  addAbout(app, work);
  addSegmentations(app, work);
  addInference(app, work);
  await app.ready();
  return {
    app,
    async drain() {
      isDraining = true;
      await line.idle();
    },
    async close() {
      isDraining = true;
      await app.close();
      results.clear();
    },
  };
}

/** Notes the routes that are added from now on; what it returns says which methods an address has. */
function methodsByAddress(app: App): (address: string) => string[] {
  const known: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = [];
  app.addHook("onRoute", ({ url, method }) => {
    const pattern = new RegExp(`^${url.replace(/:\w+/g, "[^/]+").replace("*", ".*")}$`);
    known.push({ pattern, methods: [method].flat() });
  });
  return (address) => {
    const [path] = address.split("?");
    return known.flatMap(({ pattern, methods }) => (pattern.test(path) ? methods : []));
  };
}

/** Routes that tell nothing and cost nothing: an orchestrator asks whether the service is alive, a person what it can do. */
const OPEN = /^\/(v2\/health\/(live|ready)|docs(\/.*)?)$/;

function requireToken(app: App, token: string): void {
  // Hashes have one length, so that the comparison takes one time.
  const hashOf = (text: string) => createHash("sha256").update(text).digest();
  const wanted = hashOf(token);
  app.addHook("onRequest", async (request) => {
    if (OPEN.test(request.routeOptions.url ?? "")) return;
    const [, given = ""] = /^Bearer +(.+)$/i.exec(request.headers.authorization ?? "") ?? [];
    if (!timingSafeEqual(hashOf(given), wanted)) throw new HttpError(401, "a valid bearer token is needed");
  });
}

/** An error without what a request held: its kind, its code, and where it arose. */
function errorForLog(error: Error & { code?: string }) {
  const { name, message, code = "", stack = "" } = error;
  return { type: name, message, code, stack };
}

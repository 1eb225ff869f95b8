// What the service says about itself: health and metadata by the Open Inference Protocol
// (https://github.com/kserve/open-inference-protocol), and figures for Prometheus.

import type { App, Served, Work } from "./app.ts";
import { HttpError } from "./errors.ts";
import * as schemas from "./schemas.ts";

/** @throws HttpError where the service has another network */
export function expectName({ name }: Served, asked: string): void {
  if (asked !== name) throw new HttpError(404, `there is no network of this name; this one is ${name}`);
}

export function addAbout(app: App, { served, version, isReady, metrics }: Work): void {
  const { FAILURES } = schemas;
  app.get(
    "/v2/health/live",
    { schema: { tags: ["health"], response: { 200: schemas.Live } }, logLevel: "warn" },
    async () => ({ live: true }),
  );
  app.get(
    "/v2/health/ready",
    {
      schema: {
        tags: ["health"],
        description: "503 while the service starts and from when it is asked to end",
        response: { 200: schemas.Ready, 503: schemas.Ready },
      },
      logLevel: "warn",
    },
    async (_, reply) => {
      const ready = isReady();
      return reply.status(ready ? 200 : 503).send({ ready });
    },
  );
  app.get(
    "/v2",
    { schema: { tags: ["models"], response: { 200: schemas.Server, ...FAILURES } } },
    async () => ({ name: "saunet", version, extensions: [] }),
  );
  app.get(
    "/v2/models/:name",
    { schema: { tags: ["models"], params: schemas.ByName, response: { 200: schemas.Model, ...FAILURES } } },
    async ({ params }) => {
      expectName(served, params.name);
      const probability = served.classes === undefined ? [-1, -1] : [-1, -1, served.classes.length];
      return {
        name: served.name,
        versions: [],
        platform: "saunet",
        inputs: [{ name: "photograph", datatype: "UINT8", shape: [-1, -1, 3] }],
        outputs: [
          { name: "probability", datatype: "FP32", shape: probability },
          { name: labelsOf(served), datatype: "UINT8", shape: [-1, -1] },
        ],
      };
    },
  );
  app.get(
    "/v2/models/:name/ready",
    {
      schema: {
        tags: ["models"],
        params: schemas.ByName,
        response: { 200: schemas.ModelReady, 503: schemas.ModelReady, ...FAILURES },
      },
    },
    async ({ params: { name } }, reply) => {
      expectName(served, name);
      const ready = isReady();
      return reply.status(ready ? 200 : 503).send({ name, ready });
    },
  );
  app.get(
    "/metrics",
    {
      schema: {
        tags: ["metrics"],
        response: {
          200: {
            description: "text for Prometheus",
            content: { "text/plain": { schema: { type: "string" } } },
          },
          ...FAILURES,
        },
      },
      logLevel: "warn",
    },
    async (_, reply) => reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}

/** The array beside the probabilities: the mask, or the numbers of the classes. */
export const labelsOf = ({ classes }: Served): string => (classes === undefined ? "mask" : "classes");

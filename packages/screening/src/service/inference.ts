// POST /v2/models/{name}/infer of the Open Inference Protocol: pixels in, probabilities and labels out, as JSON numbers.

import type { PhotographArray } from "saunet/internal";
import { expectName, labelsOf } from "./about.ts";
import { type App, computingRoute, type Work } from "./app.ts";
import { HttpError } from "./errors.ts";
import * as schemas from "./schemas.ts";

export function addInference(app: App, { served, limits, compute }: Work): void {
  const known = ["probability", labelsOf(served)];
  app.post(
    "/v2/models/:name/infer",
    {
      config: computingRoute,
      schema: {
        tags: ["models"],
        description: "Open Inference Protocol, JSON alone",
        params: schemas.ByName,
        body: schemas.InferRequest,
        response: { 200: schemas.InferResponse, ...schemas.FAILURES },
      },
    },
    async (request) => {
      const { params, body } = request;
      expectName(served, params.name);
      const [{ shape, data }] = body.inputs;
      const { threshold } = body.parameters ?? {};
      if (threshold !== undefined && served.classes !== undefined)
        throw new HttpError(400, "a network that tells classes apart takes no threshold");
      const wanted = body.outputs?.map(({ name }) => name) ?? known;
      const unknown = wanted.find((name) => !known.includes(name));
      if (unknown !== undefined)
        throw new HttpError(400, `there is no such output; there are ${known.join(" and ")}`);
      const { arrays } = await compute(request, {
        source: { photograph: photographOf(shape, data, limits.maxPixels) },
        options: { maxPixels: limits.maxPixels, ...(threshold !== undefined && { threshold }) },
        pictures: [],
        arrays: wanted,
      });
      const batch = shape.length === 4 ? [1] : [];
      const outputs = wanted.map((name) => output(name, arrays[name], batch));
      return { model_name: served.name, ...(body.id !== undefined && { id: body.id }), outputs };
    },
  );
}

function output(name: string, { shape, data }: PhotographArray, batch: readonly number[]) {
  const datatype = data instanceof Float32Array ? "FP32" : "UINT8";
  return { name, datatype, shape: [...batch, ...shape], data: Array.from(data) };
}

/** @throws HttpError where the data do not fill the shape, or are no bytes */
function photographOf(shape: readonly number[], data: unknown, maxPixels: number) {
  const [height, width, channels] = shape.length === 4 ? shape.slice(1) : shape;
  if (channels !== 3 || (shape.length === 4 && shape[0] !== 1))
    throw new HttpError(400, "the shape must be [height, width, 3] or [1, height, width, 3]");
  if (height * width > maxPixels)
    throw new HttpError(422, `photograph: has ${width} x ${height} pixels; the limit is ${maxPixels}`);
  const bytes = new Uint8Array(height * width * 3);
  const filled = fill(bytes, data, 0);
  if (filled !== bytes.length)
    throw new HttpError(400, `the shape wants ${bytes.length} numbers but the data are ${filled}`);
  return { width, height, data: bytes };
}

/** Writes numbers, however nested, from a place on; returns the place after them. */
function fill(bytes: Uint8Array, data: unknown, at: number): number {
  if (Array.isArray(data)) return data.reduce((place: number, each) => fill(bytes, each, place), at);
  if (typeof data !== "number" || !Number.isInteger(data) || data < 0 || data > 255)
    throw new HttpError(400, "the data must be integers from 0 to 255");
  bytes[at] = data;
  return at + 1;
}

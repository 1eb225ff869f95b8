// /v1/segmentations: a photograph's file in; links, a picture or arrays out.

import type { SwaggerTransform } from "@fastify/swagger";
import { Tensor, writeSafetensors } from "@saunet/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Answer, HowToSegment } from "../compute.ts";
import { type App, computingRoute, type Work } from "./app.ts";
import { HttpError } from "./errors.ts";
import { KEPT_MINUTES, type KeptResult } from "./kept-results.ts";
import { encodeNpy } from "./npy.ts";
import * as schemas from "./schemas.ts";

const JSON_TYPE = "application/json";
const PNG = "image/png";
const NPY = "application/x-npy";
const SAFETENSORS = "application/x-safetensors";
/** What an answer may be, the default first. */
const ANSWERS = [JSON_TYPE, PNG, NPY, SAFETENSORS];

/** What a photograph may come as. Its kind is told from its bytes. */
const PHOTOGRAPHS = [
  "application/octet-stream",
  "image/jpeg",
  "image/png",
  "image/tiff",
  "image/webp",
  "image/gif",
  "image/x-portable-anymap",
];
const ADDRESS = "/v1/segmentations";
const FIELD = "photograph";

const file = { type: "string", format: "binary" };

/**
 * Adds the body to the description of the route that takes files: Fastify would check bytes by it.
 */
export const withPhotographBody: SwaggerTransform = ({ schema, url, route }) => {
  if (url !== ADDRESS || route.method !== "POST") return { schema, url };
  const content = Object.fromEntries(PHOTOGRAPHS.map((type) => [type, { schema: file }]));
  const form = { type: "object", required: [FIELD], properties: { [FIELD]: file } };
  const body = { content: { ...content, "multipart/form-data": { schema: form } } };
  return { schema: { ...schema, body }, url };
};

export function addSegmentations(app: App, work: Work): void {
  const { served, limits, compute, results } = work;
  const { FAILURES } = schemas;
  const parser = { parseAs: "buffer", bodyLimit: limits.maxBytes } as const;
  app.removeContentTypeParser("text/plain");
  for (const type of ["application/octet-stream", /^image\//])
    app.addContentTypeParser(type, parser, (_request, body, done) => done(null, body));
  const binary = (types: readonly string[], description: string) => ({
    description,
    content: Object.fromEntries(types.map((type) => [type, { schema: file }])),
  });
  app.post(
    ADDRESS,
    {
      config: computingRoute,
      schema: {
        tags: ["segmentations"],
        description: `A photograph as the body, or as the field \`${FIELD}\` of a form. \`Accept\` says what the answer is: JSON with links to pictures, which hold for ${KEPT_MINUTES} minutes (by default); one picture (image/png); the probabilities (${NPY}); all arrays (${SAFETENSORS}).`,
        querystring: schemas.howToSegment(served.kinds),
        response: {
          200: binary([PNG, NPY, SAFETENSORS], "what Accept asks for"),
          201: { description: "links", content: { [JSON_TYPE]: { schema: schemas.Segmentation } } },
          ...FAILURES,
        },
      },
    },
    async (request, reply) => {
      const type = request.accepts().type(ANSWERS);
      if (typeof type !== "string") throw new HttpError(406, `the answer can be ${ANSWERS.join(", ")}`);
      const { picture = schemas.usualPicture(served.kinds), ...query } = request.query;
      if (query.threshold !== undefined && served.classes !== undefined)
        throw new HttpError(400, "a network that tells classes apart takes no threshold");
      const answer = await compute(request, {
        source: { bytes: await photographIn(request) },
        options: optionsOf(query, limits.maxPixels),
        pictures: type === PNG ? [picture] : type === JSON_TYPE ? served.kinds : [],
        arrays: type === NPY ? ["probability"] : type === SAFETENSORS ? arraysOf(work) : [],
      });
      if (type === JSON_TYPE) return sendLinks(reply, work, answer);
      return reply.type(type).send(Buffer.from(bodyOf(type, picture, answer)));
    },
  );
  app.get(
    `${ADDRESS}/:id`,
    {
      schema: {
        tags: ["segmentations"],
        params: schemas.ById,
        response: { 200: schemas.Segmentation, ...FAILURES },
      },
    },
    async ({ params: { id } }) => {
      const kept = results.find(id);
      if (kept === undefined) throw notKept();
      return describe(id, kept);
    },
  );
  app.get(
    `${ADDRESS}/:id/:picture`,
    {
      schema: {
        tags: ["segmentations"],
        params: schemas.Picture,
        response: { 200: binary([PNG], "the picture"), ...FAILURES },
      },
    },
    async ({ params: { id, picture } }, reply) => {
      const pictures = results.find(id)?.pictures ?? {};
      if (!Object.hasOwn(pictures, picture)) throw notKept();
      return reply.type(PNG).header("Cache-Control", "no-store").send(Buffer.from(pictures[picture]));
    },
  );
  app.delete(
    `${ADDRESS}/:id`,
    {
      schema: {
        tags: ["segmentations"],
        description: "forgets the pictures before their time",
        params: schemas.ById,
        response: { 204: { type: "null", description: "forgotten" }, ...FAILURES },
      },
    },
    async ({ params: { id } }, reply) => {
      if (!results.forget(id)) throw notKept();
      return reply.status(204).send(null);
    },
  );
}

const notKept = () => new HttpError(404, "there is no such picture, or it is kept no longer");

/** The bytes of the photograph's file. */
async function photographIn(request: FastifyRequest): Promise<Uint8Array> {
  if (request.isMultipart()) return photographInForm(request);
  const { body } = request;
  if (body instanceof Buffer && body.length > 0) return body;
  if (body === undefined || body === null || body instanceof Buffer)
    throw new HttpError(400, "the body is empty; it must be the file of a photograph");
  throw new HttpError(415, `the body must be the file of a photograph: ${PHOTOGRAPHS.join(", ")}`);
}

async function photographInForm(request: FastifyRequest): Promise<Uint8Array> {
  try {
    const part = await request.file();
    if (part?.fieldname === FIELD) return await part.toBuffer();
  } catch (error) {
    const { code = "", statusCode } = error as Error & { code?: string; statusCode?: number };
    // A form with a field beside the file is not too large, it is another form.
    const isOther = /^FST_(PARTS|FIELDS|FILES)_LIMIT$/.test(code);
    // What the parser says of a form that is none has no status.
    if ((statusCode !== undefined && !isOther) || request.raw.errored !== null) throw error;
    if (isOther)
      throw new HttpError(400, `the form must have one file, in the field ${FIELD}, and nothing else`);
    throw new HttpError(400, `the form cannot be read: ${(error as Error).message}`);
  }
  throw new HttpError(400, `the form must have one file, in the field ${FIELD}`);
}

function optionsOf({ threshold, scale, pad_to }: schemas.HowToSegment, maxPixels: number): HowToSegment {
  return {
    maxPixels,
    ...(threshold !== undefined && { threshold }),
    ...(scale !== undefined && { scale }),
    ...(pad_to !== undefined && { padTo: pad_to }),
  };
}

const arraysOf = ({ served }: Work): string[] => [
  "probability",
  served.classes === undefined ? "mask" : "classes",
];

function bodyOf(type: string, picture: string, { pictures, arrays }: Answer): Uint8Array {
  if (type === PNG) return pictures[picture];
  if (type === NPY) return encodeNpy(arrays.probability);
  const tensors = Object.entries(arrays).map(([name, { shape, data }]) => [
    name,
    new Tensor(Float32Array.from(data), shape),
  ]);
  return writeSafetensors(Object.fromEntries(tensors));
}

function sendLinks(reply: FastifyReply, { results }: Work, { figures, pictures }: Answer) {
  const [id, kept] = results.keep({ figures, pictures });
  const described = describe(id, kept);
  return reply.status(201).header("Location", described.links.self).type(JSON_TYPE).send(described);
}

/** A segmentation that is kept, as JSON. */
function describe(id: string, { figures, pictures, expires }: KeptResult) {
  const self = `${ADDRESS}/${id}`;
  const links = Object.fromEntries(Object.keys(pictures).map((kind) => [kind, `${self}/${kind}`]));
  const { classes, warnings, ...numbers } = figures;
  return {
    ...{ id, expires, links: { self, ...links }, ...numbers, warnings: [...warnings] },
    ...(classes && { classes: [...classes] }),
  };
}

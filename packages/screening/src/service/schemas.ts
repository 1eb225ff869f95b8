// What goes in and comes out, as JSON schemas: Fastify checks requests by them, and /docs shows them.

import { type Static, Type } from "typebox";

export const Failure = Type.Object(
  { error: Type.String({ description: "what was wrong, in one line" }) },
  { description: "the request was refused or failed" },
);

/** Answers that any route may give. */
export const FAILURES = { "4xx": Failure, "5xx": Failure };

const closed = { additionalProperties: false };

const Threshold = Type.Number({
  minimum: 0,
  maximum: 1,
  description: "a pixel is vessel from this probability on; 0.5 when left out",
});

/** @param kinds of pictures that there are */
export const howToSegment = (kinds: readonly string[]) =>
  Type.Object(
    {
      threshold: Type.Optional(Threshold),
      scale: Type.Optional(
        Type.Union([Type.Literal("auto"), Type.Number({ minimum: 1 / 16, maximum: 16 })], {
          description: "resizes the photograph for the network; as the weights ask when left out",
        }),
      ),
      pad_to: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 4096,
          description: "pads with black to at least so many rows and columns",
        }),
      ),
      picture: Type.Optional(
        Type.Union(
          kinds.map((kind) => Type.Literal(kind)),
          { description: `which picture an answer of image/png is: ${usualPicture(kinds)} when left out` },
        ),
      ),
    },
    closed,
  );
export type HowToSegment = Static<ReturnType<typeof howToSegment>>;

/** The picture that is sent where none is named. */
export const usualPicture = (kinds: readonly string[]): string =>
  kinds.includes("mask") ? "mask" : kinds[0];

export const Segmentation = Type.Object({
  id: Type.String({ format: "uuid" }),
  expires: Type.String({ format: "date-time", description: "until then the links hold" }),
  links: Type.Object(
    { self: Type.String() },
    { additionalProperties: Type.String(), description: "of each picture, by its kind" },
  ),
  width: Type.Integer(),
  height: Type.Integer(),
  scale: Type.Number({ description: "the factor by which the network saw the photograph resized" }),
  networkSeconds: Type.Number({ description: "that the network took" }),
  vesselShare: Type.Number({ description: "of the field of view" }),
  classes: Type.Optional(
    Type.Array(Type.Object({ name: Type.String(), colour: Type.String(), share: Type.Number() })),
  ),
  warnings: Type.Array(Type.String(), { description: "what makes it look like no fundus photograph" }),
});

export const ById = Type.Object({ id: Type.String({ format: "uuid" }) });
export const Picture = Type.Object({ id: Type.String({ format: "uuid" }), picture: Type.String() });
export const ByName = Type.Object({ name: Type.String() });

export const Live = Type.Object({ live: Type.Boolean() });
export const Ready = Type.Object({ ready: Type.Boolean() });
export const ModelReady = Type.Object({ name: Type.String(), ready: Type.Boolean() });
export const Server = Type.Object({
  name: Type.String(),
  version: Type.String(),
  extensions: Type.Array(Type.String()),
});

const Described = Type.Object({
  name: Type.String(),
  datatype: Type.String(),
  shape: Type.Array(Type.Integer()),
});
export const Model = Type.Object({
  name: Type.String(),
  versions: Type.Array(Type.String()),
  platform: Type.String(),
  inputs: Type.Array(Described),
  outputs: Type.Array(Described),
});

const Parameters = Type.Object({ threshold: Type.Optional(Threshold) }, closed);
/** Flat, or nested as the shape says. */
const Data = Type.Array(Type.Unknown());

export const InferRequest = Type.Object(
  {
    id: Type.Optional(Type.String({ maxLength: 200 })),
    parameters: Type.Optional(Parameters),
    inputs: Type.Array(
      Type.Object(
        {
          name: Type.Literal("photograph"),
          datatype: Type.Literal("UINT8"),
          shape: Type.Array(Type.Integer({ minimum: 1 }), {
            minItems: 3,
            maxItems: 4,
            description: "[height, width, 3] or [1, height, width, 3]",
          }),
          data: Data,
        },
        closed,
      ),
      { minItems: 1, maxItems: 1 },
    ),
    outputs: Type.Optional(Type.Array(Type.Object({ name: Type.String() }, closed))),
  },
  closed,
);
export type InferRequest = Static<typeof InferRequest>;

export const InferResponse = Type.Object({
  model_name: Type.String(),
  id: Type.Optional(Type.String()),
  outputs: Type.Array(
    Type.Object({
      name: Type.String(),
      datatype: Type.String(),
      shape: Type.Array(Type.Integer()),
      data: Type.Array(Type.Number()),
    }),
  ),
});

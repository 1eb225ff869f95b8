// The service against its own description: random requests to every route get answers that the description has.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Serving, serving, smallFundus, write, writeFreshWeights } from "../testing.ts";

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}
interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

let here: string;
let one: Serving;
let description: Description;
let photograph: Buffer;

beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-openapi-"));
  await writeFreshWeights(join(here, "tiny.safetensors"));
  await write(join(here, "eye.png"), smallFundus(2).image);
  photograph = await readFile(join(here, "eye.png"));
  one = await serving(join(here, "tiny.safetensors"));
  description = (await (await fetch(`${one.address}/docs/json`)).json()) as Description;
});
afterAll(async () => {
  await one.service.close();
  await rm(here, { recursive: true });
});

it("is OpenAPI, and has every route that docs/screening.md names", async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(description) as never);
  expect(errors ?? []).toEqual([]);
  expect(valid).toBe(true);
  const routes = Object.entries(description.paths).flatMap(([path, of]) =>
    Object.keys(of).map((method) => `${method} ${path}`),
  );
  expect(routes.sort()).toEqual([
    "delete /v1/segmentations/{id}",
    "get /metrics",
    "get /v1/segmentations/{id}",
    "get /v1/segmentations/{id}/{picture}",
    "get /v2",
    "get /v2/health/live",
    "get /v2/health/ready",
    "get /v2/models/{name}",
    "get /v2/models/{name}/ready",
    "post /v1/segmentations",
    "post /v2/models/{name}/infer",
  ]);
  expect((await fetch(`${one.address}/docs`)).headers.get("content-type")).toContain("text/html");
});

/** Words that mean something here, and any others. */
const word = fc.oneof(
  fc.constantFrom(
    "tiny",
    "mask",
    "overlay",
    "auto",
    "0.5",
    "0",
    "1e9",
    "-1",
    "",
    "NaN",
    "__proto__",
    "constructor",
  ),
  fc.uuid(),
  fc.string({ maxLength: 20 }),
);
const infer = fc.record(
  {
    id: fc.oneof(fc.string(), fc.integer()),
    parameters: fc.oneof(fc.constant({ threshold: 0.3 }), fc.object({ maxDepth: 1 })),
    inputs: fc.array(
      fc.record(
        {
          name: fc.constantFrom("photograph", "x"),
          datatype: fc.constantFrom("UINT8", "UINT8", "FP32"),
          shape: fc.oneof(
            fc.constantFrom([2, 2, 3], [1, 2, 2, 3], [2, 2, 1], []),
            fc.array(fc.oneof(fc.integer({ min: -1, max: 9 }), fc.double())),
          ),
          data: fc.oneof(
            fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 12, maxLength: 12 }),
            fc.array(fc.anything({ maxDepth: 2 })),
          ),
        },
        { requiredKeys: ["name", "datatype"] },
      ),
      { maxLength: 2 },
    ),
    outputs: fc.array(fc.record({ name: fc.constantFrom("probability", "mask", "toString") }), {
      maxLength: 2,
    }),
  },
  { requiredKeys: ["inputs"] },
);
const file = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.record({ at: fc.nat(), value: fc.nat(255) }).map(({ at, value }) => {
    const damaged = Uint8Array.from(photograph);
    damaged[at % damaged.length] = value;
    return damaged;
  }),
  fc.nat().map((at) => Uint8Array.from(photograph.subarray(0, at % photograph.length))),
  fc.constant(null).map(() => Uint8Array.from(photograph)),
);
const usually = (one: fc.Arbitrary<string>, other: fc.Arbitrary<string>) =>
  fc.oneof({ weight: 5, arbitrary: one }, { weight: 1, arbitrary: other });
const requests = fc.record({
  route: fc.nat(),
  words: fc.array(word, { minLength: 6, maxLength: 6 }),
  accept: usually(fc.constantFrom("*/*", "image/png", "application/json", "application/x-npy"), word),
  type: usually(
    fc.constantFrom(
      "image/png",
      "application/json",
      "multipart/form-data; boundary=x",
      "application/octet-stream",
    ),
    word,
  ),
  body: fc.oneof(
    infer.map((of) => Buffer.from(JSON.stringify(of))),
    fc.json().map((text) => Buffer.from(text)),
    file.map((bytes) => Buffer.from(bytes)),
  ),
});

it("answers nothing that it does not describe, whatever it is asked", async () => {
  const ajv = new Ajv({ strict: false, validateFormats: true });
  addFormats.default(ajv);
  const operations = Object.entries(description.paths).flatMap(([path, of]) =>
    Object.entries(of).flatMap(([method, operation]) =>
      // Those that take bodies have the most to go wrong.
      Array.from({ length: method === "post" ? 8 : 1 }, () => ({ path, method, operation })),
    ),
  );
  const seen = new Set<string>();
  const property = fc.asyncProperty(requests, async ({ route, words, accept, type, body }) => {
    const { path, method, operation } = operations[route % operations.length];
    let next = 0;
    const take = () => encodeURIComponent(words[next++ % words.length]) || "x";
    const query = (operation.parameters ?? []).filter(
      (each) => each.in === "query" && (route + next++) % 5 === 0,
    );
    const url = `${path.replace(/\{\w+\}/g, (name) => (name === "{name}" && route % 3 ? "tiny" : take()))}?${query.map(({ name }) => `${name}=${take()}`).join("&")}`;
    const headers = Object.fromEntries(
      Object.entries({ accept, "content-type": type }).map(([name, value]) => [
        name,
        value.replace(/[^\x20-\x7e]/g, ""),
      ]),
    );
    const answer = await one.service.app.inject({
      method: method.toUpperCase() as "GET",
      url,
      headers: method === "post" ? headers : { accept: headers.accept },
      ...(method === "post" && { payload: body }),
    });
    const { statusCode: status } = answer;
    const described = operation.responses[status] ?? operation.responses[`${Math.floor(status / 100)}XX`];
    expect(
      described,
      `${method} ${url}: ${status}, which is not described: ${answer.body.slice(0, 200)}`,
    ).toBeDefined();
    expect(status, `${method} ${url}: ${answer.body.slice(0, 200)}`).not.toBe(500);
    seen.add(`${method} ${path} ${status}`);
    if (status === 204) return;
    const kind = String(answer.headers["content-type"]).split(";")[0];
    const content = described.content?.[kind];
    expect(content, `${method} ${url}: ${status} of ${kind}`).toBeDefined();
    if (kind !== "application/json" || content === undefined) return;
    expect(ajv.validate(content.schema, answer.json()), `${answer.body}\n${ajv.errorsText()}`).toBe(true);
  });
  await fc.assert(property, { numRuns: 600, seed: 7 });
  // The requests are not refused alone.
  for (const wanted of ["post /v1/segmentations 422", "post /v2/models/{name}/infer 400", "get /metrics 200"])
    expect([...seen]).toContain(wanted);
  expect(
    [...seen].some((each) => /^post \/v1\/segmentations 20[01]$/.test(each)),
    [...seen].join(),
  ).toBe(true);
});

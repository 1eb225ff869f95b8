import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { readSafetensors } from "@saunet/core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { LostError } from "../computer.ts";
import {
  claiming,
  type Serving,
  saunet,
  serving,
  smallFundus,
  write,
  writeFreshWeights,
} from "../testing.ts";

let here: string;
let weights: string;
let photograph: Buffer<ArrayBuffer>;
let written: Record<string, Buffer>;
const started: Serving[] = [];
const serve: (
  ...options: Parameters<typeof serving> extends [string, ...infer Rest] ? Rest : never
) => Promise<Serving> = async (...options) => {
  const one = await serving(weights, ...options);
  started.push(one);
  return one;
};

beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-service-"));
  weights = join(here, "tiny.safetensors");
  await writeFreshWeights(weights);
  await write(join(here, "patient-4711.png"), smallFundus(1).image);
  photograph = Buffer.from(await readFile(join(here, "patient-4711.png")));
  const { code } = await saunet(here, ["segment", "--weights", weights, "patient-4711.png", "-o", "out"]);
  expect(code).toBe(0);
  const read = async (kind: string) => [kind, await readFile(join(here, `out/patient-4711-${kind}.png`))];
  written = Object.fromEntries(await Promise.all(["probability", "mask", "overlay"].map(read)));
});
afterEach(async () => {
  for (const { service, computer } of started.splice(0)) {
    computer.letGo();
    await service.close();
  }
});
afterAll(() => rm(here, { recursive: true }));

/** Posts a photograph's file. */
function post(
  { address }: Serving,
  {
    query = "",
    accept = "application/json",
    type = "image/png",
    body = photograph as BodyInit,
    headers = {},
  } = {},
): Promise<Response> {
  const init = { method: "POST", body, headers: { accept, "content-type": type, ...headers } };
  return fetch(`${address}/v1/segmentations${query}`, init);
}
const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());
const errorOf = async (answer: Response) => [
  answer.status,
  ((await answer.json()) as { error: string }).error,
];
/** Probabilities as the picture of them has them. */
const levelsOf = (probability: ArrayLike<number>) =>
  Array.from(probability, (value) => Math.round(255 * value));

describe("what it answers", () => {
  it("is what saunet segment writes, to the byte: a picture, or links to all", async () => {
    const one = await serve();
    for (const [kind, png] of Object.entries(written)) {
      const answer = await post(one, { accept: "image/png", query: `?picture=${kind}` });
      expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "image/png"]);
      expect((await bytesOf(answer)).equals(png), kind).toBe(true);
    }
    const answer = await post(one);
    const found = (await answer.json()) as {
      links: Record<string, string>;
      width: number;
      warnings: string[];
    };
    expect(answer.status).toBe(201);
    expect(answer.headers.get("location")).toBe(found.links.self);
    expect(found).toMatchObject({ width: 48, height: 48, scale: 1, warnings: [] });
    for (const [kind, png] of Object.entries(written))
      expect((await bytesOf(await fetch(one.address + found.links[kind]))).equals(png)).toBe(true);
    expect(await (await fetch(one.address + found.links.self)).json()).toEqual(found);
    expect((await fetch(one.address + found.links.self, { method: "DELETE" })).status).toBe(204);
    expect((await fetch(one.address + found.links.mask)).status).toBe(404);
  });

  it("takes a form, and forgets how its file is called", async () => {
    const one = await serve();
    const form = new FormData();
    form.append("photograph", new Blob([photograph]), "patient-4711.png");
    const answer = await fetch(`${one.address}/v1/segmentations`, {
      method: "POST",
      body: form,
      headers: { accept: "image/png" },
    });
    expect((await bytesOf(answer)).equals(written.mask)).toBe(true);
    await fetch(`${one.address}/v1/patient-4711.png?name=patient-4711`);
    expect(one.log()).toContain('"status":404');
    expect(one.log()).not.toContain("4711");
  });

  it("refuses a form with anything beside the file, and methods that an address does not have", async () => {
    const one = await serve();
    const form = new FormData();
    form.append("threshold", "0.4");
    form.append("photograph", new Blob([photograph]), "eye.png");
    const refused = await fetch(`${one.address}/v1/segmentations`, { method: "POST", body: form });
    expect([refused.status, await refused.json()]).toEqual([
      400,
      { error: "the form must have one file, in the field photograph, and nothing else" },
    ]);
    for (const [method, path, allowed] of [
      ["PUT", "/v1/segmentations", "POST"],
      ["POST", "/v2/models/tiny/ready", "GET, HEAD"],
      ["TRACE", "/metrics", "GET, HEAD"],
      ["PATCH", "/v1/segmentations/x?y=/v2", "GET, HEAD, DELETE"],
      ["QUERY", "/v2", "GET, HEAD"],
    ] as const) {
      const answer = await one.service.app.inject({ method: method as "PUT", url: path });
      expect([answer.statusCode, answer.headers.allow, answer.json()], path).toEqual([
        405,
        allowed,
        { error: `${method} is not for this address; ${allowed} are` },
      ]);
    }
    const picture = await fetch(`${one.address}/v1/segmentations?picture=toString`, {
      method: "POST",
      body: photograph,
      headers: { "content-type": "image/png", accept: "image/png" },
    });
    expect(picture.status).toBe(400);
    expect((await fetch(`${one.address}/v3`)).status).toBe(404);
  });

  it("gives arrays as NumPy and safetensors have them", async () => {
    const one = await serve();
    const npy = await bytesOf(await post(one, { accept: "application/x-npy" }));
    const start = 10 + npy.readUInt16LE(8);
    expect(npy.toString("latin1", 10, start).trim()).toBe(
      "{'descr': '<f4', 'fortran_order': False, 'shape': (48, 48), }",
    );
    const floats = new Float32Array(Uint8Array.from(npy.subarray(start)).buffer);
    const { tensors } = readSafetensors(
      await bytesOf(await post(one, { accept: "application/x-safetensors" })),
    );
    expect(Object.keys(tensors).sort()).toEqual(["mask", "probability"]);
    expect(tensors.probability.shape).toEqual([48, 48]);
    expect(tensors.probability.data).toEqual(floats);
    expect([...tensors.mask.data]).toEqual([...floats].map((value) => Number(value >= 0.5)));
  });

  it("follows the Open Inference Protocol", async () => {
    const one = await serve();
    const { image } = smallFundus(1);
    const nested = Array.from({ length: 48 }, (_, y) =>
      Array.from(image.data.subarray(y * 144, y * 144 + 144)),
    );
    const infer = (inputs: object, more: object = {}) =>
      fetch(`${one.address}/v2/models/tiny/infer`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          id: "7",
          inputs: [{ name: "photograph", datatype: "UINT8", ...inputs }],
          ...more,
        }),
      });
    const answer = await infer({ shape: [1, 48, 48, 3], data: nested });
    const body = (await answer.json()) as { outputs: { data: number[] }[] };
    expect(body).toMatchObject({
      model_name: "tiny",
      id: "7",
      outputs: [
        { name: "probability", datatype: "FP32", shape: [1, 48, 48] },
        { name: "mask", datatype: "UINT8", shape: [1, 48, 48] },
      ],
    });
    const npy = await bytesOf(await post(one, { accept: "application/x-npy" }));
    const floats = new Float32Array(Uint8Array.from(npy.subarray(10 + npy.readUInt16LE(8))).buffer);
    expect(levelsOf(body.outputs[0].data)).toEqual(levelsOf(floats));
    const data = Array.from(image.data);
    const all = await infer(
      { shape: [48, 48, 3], data },
      { parameters: { threshold: 0 }, outputs: [{ name: "mask" }] },
    );
    expect(((await all.json()) as typeof body).outputs).toMatchObject([{ name: "mask", shape: [48, 48] }]);
    expect(await errorOf(await infer({ shape: [48, 48, 3], data: data.slice(1) }))).toEqual([
      400,
      "the shape wants 6912 numbers but the data are 6911",
    ]);
    for (const wrong of [-1, 256, 0.5, null, "7"])
      expect((await infer({ shape: [1, 1, 3], data: [0, 0, wrong] })).status).toBe(400);
    expect((await infer({ shape: [1, 1, 4], data: [0, 0, 0, 0] })).status).toBe(400);
    expect((await infer({ shape: [9e9, 9e9, 3], data: [] })).status).toBe(422);
    expect((await infer({ shape: [1, 1, 3], data: [0, 0, 0] }, { outputs: [{ name: "x" }] })).status).toBe(
      400,
    );
    expect((await fetch(`${one.address}/v2/models/other`)).status).toBe(404);
    expect(await (await fetch(`${one.address}/v2/models/tiny`)).json()).toMatchObject({ name: "tiny" });
  });
});

describe("what it refuses", () => {
  it.each([
    ["another type", { type: "text/plain" }, 415],
    ["no body", { body: "" }, 400],
    ["no picture", { body: "hello" }, 422],
    ["an unknown option", { query: "?treshold=0.4" }, 400],
    ["a threshold of 2", { query: "?threshold=2" }, 400],
    ["a scale of 100", { query: "?scale=100" }, 400],
    ["a picture of nothing", { query: "?picture=eye" }, 400],
    ["an answer as a film", { accept: "video/mp4" }, 406],
    ["JSON", { type: "application/json", body: "{}" }, 415],
    ["a form that is none", { type: "multipart/form-data" }, 400],
    ["a form that is cut short", { type: "multipart/form-data; boundary=x", body: "--x\r\nContent-" }, 400],
    ["a body that is too large", { body: Buffer.alloc(100_001) }, 413],
  ])("%s", async (_, options, status) => {
    const one = await serve();
    const answer = await post(one, options);
    const [found, error] = await errorOf(answer);
    expect(found, String(error)).toBe(status);
    expect(error).not.toMatch(/undefined|\[object|\n/);
    expect((await post(one)).status).toBe(201);
  });

  it("what is damaged, and what has too many pixels", async () => {
    const one = await serve();
    const [, damaged] = await errorOf(await post(one, { body: photograph.subarray(0, 900) }));
    expect(damaged).toMatch(/^photograph: is damaged or cut short/);
    const large = await post(one, { body: Buffer.from(claiming(photograph, 1000, 1000)) });
    expect(await errorOf(large)).toEqual([
      422,
      "photograph: has 1000 x 1000 = 1000000 pixels; the limit is 20000",
    ]);
    const padded = await post(one, { query: "?pad_to=4096" });
    expect((await errorOf(padded))[0]).toBe(422);
  });

  it("a form whose file is too large, or in another field", async () => {
    const one = await serve();
    const send = (field: string, bytes: number) => {
      const form = new FormData();
      form.append(field, new Blob([Buffer.alloc(bytes)]), "a.png");
      return fetch(`${one.address}/v1/segmentations`, { method: "POST", body: form });
    };
    expect((await send("photograph", 100_001)).status).toBe(413);
    expect((await send("other", 10)).status).toBe(400);
  });

  it("whoever does not bear the token", async () => {
    const one = await serve({ token: "0123456789abcdef" });
    const bearing = (token: string) => post(one, { headers: { authorization: `Bearer ${token}` } });
    for (const token of ["", "0123456789abcde", "0123456789abcdeg", "0123456789abcdef0"])
      expect((await bearing(token)).status).toBe(401);
    expect((await post(one)).headers.get("www-authenticate")).toBe("Bearer");
    expect((await bearing("0123456789abcdef")).status).toBe(201);
    for (const [path, status] of [
      ["metrics", 401],
      ["v2/models/tiny", 401],
      ["v2/health/live", 200],
      ["docs/json", 200],
    ])
      expect((await fetch(`${one.address}/${path}`)).status, String(path)).toBe(status);
  });
});

describe("many at once", () => {
  it("wait in a line, and are answered 429 where it is full", async () => {
    const one = await serve({ limits: { waiting: 2 } });
    one.computer.hold();
    const answers = Array.from({ length: 8 }, () => post(one, { accept: "image/png" }));
    const done = await Promise.all(
      answers.map((answer) => Promise.race([answer.then(({ status }) => status), pause(1500, "waits")])),
    );
    expect(done.filter((status) => status === 429)).toHaveLength(5);
    expect(done.filter((status) => status === "waits")).toHaveLength(3);
    const full = await post(one);
    expect([full.status, Number(full.headers.get("retry-after"))]).toEqual([429, expect.any(Number)]);
    expect(Number(full.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    one.computer.letGo();
    for (const answer of await Promise.all(answers))
      if (answer.status !== 429) expect((await bytesOf(answer)).equals(written.mask)).toBe(true);
  });

  it("leave their places when they go", async () => {
    const one = await serve({ limits: { waiting: 1 } });
    one.computer.hold();
    const first = post(one);
    await pause(200);
    const gone = new AbortController();
    const second = fetch(`${one.address}/v1/segmentations`, {
      method: "POST",
      body: photograph,
      headers: { "content-type": "image/png" },
      signal: gone.signal,
    });
    await pause(200);
    expect((await post(one)).status).toBe(429);
    gone.abort();
    await expect(second).rejects.toThrow();
    await pause(200);
    const third = post(one);
    await pause(200);
    one.computer.letGo();
    expect([(await first).status, (await third).status]).toEqual([201, 201]);
  });

  it("get 504 after their time, and 503 where the process is lost", async () => {
    const one = await serve({ limits: { seconds: 0.5 } });
    one.computer.hold();
    expect(await errorOf(await post(one))).toEqual([504, "the answer took longer than 0.5 seconds"]);
    const lost = post(one);
    await pause(100);
    one.computer.letGo(new LostError("the process that segments ended (SIGKILL)"));
    const answer = await lost;
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
    expect((await post(one)).status).toBe(201);
  });

  it("are answered while others send slowly or break off, and those get 408", async () => {
    const one = await serve({ limits: { waiting: 3, seconds: 2 } });
    const head = `POST /v1/segmentations HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: ${photograph.length}\r\n\r\n`;
    const opened = (text: string) =>
      new Promise<{ answer: Promise<string>; end: () => void }>((resolve) => {
        const socket = connect(one.port, "127.0.0.1", () => {
          socket.write(text);
          let heard = "";
          socket.on("data", (data) => {
            heard += data;
          });
          const answer = new Promise<string>((closed) => socket.on("close", () => closed(heard)));
          resolve({ answer, end: () => socket.destroy() });
        });
        socket.on("error", () => {});
      });
    const slow = await Promise.all(Array.from({ length: 10 }, () => opened(`${head}x`)));
    const start = performance.now();
    expect((await post(one)).status).toBe(201);
    expect(performance.now() - start).toBeLessThan(2000);
    // More than there are places for bodies, over and over.
    for (let round = 0; round < 5; round++)
      for (const { end } of await Promise.all(Array.from({ length: 6 }, () => opened(`${head}half`)))) end();
    for (const { answer } of slow) expect(await answer).toMatch(/^HTTP\/1.1 408 /);
    const after = await Promise.all(Array.from({ length: 4 }, () => post(one)));
    expect(after.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
  });

  it("are answered to the last when it is asked to end, and it says that it is not ready", async () => {
    const one = await serve();
    const ready = async () => (await fetch(`${one.address}/v2/health/ready`)).status;
    expect(await ready()).toBe(200);
    one.computer.hold();
    const held = [post(one, { accept: "image/png" }), post(one, { accept: "image/png" })];
    await pause(300);
    const drained = one.service.drain();
    expect([await ready(), (await fetch(`${one.address}/v2/health/live`)).status]).toEqual([503, 200]);
    expect(await errorOf(await post(one))).toEqual([503, "the service is ending"]);
    one.computer.letGo();
    for (const answer of held) expect((await bytesOf(await answer)).equals(written.mask)).toBe(true);
    await drained;
  });
});

// The commands of `saunet screen` against a Redis of the test's own.

import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { build, command, saunet, smallFundus, start, write, writeFreshWeights } from "../testing.ts";
import { hasRedis, type OwnRedis, startRedis } from "./testing-redis.ts";

let here: string;
beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-queue-"));
  await writeFreshWeights(join(here, "tiny.safetensors"));
  for (const name of ["a", "b", "below/a"])
    await write(join(here, `eyes/${name}.png`), smallFundus(name.length).image);
  await writeFile(join(here, "eyes/notes.txt"), "no picture");
});
afterAll(() => rm(here, { recursive: true }));

it.each([
  [["submit", "eyes", "-o", "r"], 2, "where is the queue? --queue redis://localhost:6379, or SAUNET_QUEUE"],
  [
    ["status", "--queue", "localhost:6379"],
    2,
    "option '--queue <url>' must be redis://HOST:PORT, or rediss://USER:PASSWORD@HOST:PORT with TLS",
  ],
  [["status", "--queue", "redis://:secret@127.0.0.1:1"], 1, "Redis at 127.0.0.1:1: nothing listens there"],
  [["work", "--queue", "redis://127.0.0.1:1"], 1, "Redis at 127.0.0.1:1: nothing listens there"],
  [
    ["work", "--concurrency", "0"],
    2,
    "option '--concurrency <n>' argument '0' is invalid. It must be an integer of at least 1.",
  ],
  [["collect", "eyes", "-o", "t.csv"], 1, "eyes: saunet screen has written no results there"],
  [["dance"], 2, "unknown command 'dance'"],
] as const)("screen %s ends with %i and one line", async (argv, code, line) => {
  expect(await saunet(here, ["screen", ...argv])).toEqual({ code, out: "", err: `saunet: ${line}\n` });
});

describe.skipIf(!hasRedis)("with Redis", () => {
  const password = "p@ss word";
  let redis: OwnRedis;
  let folder = 0;
  beforeAll(async () => {
    await build();
    await mkdir(join(here, "redis"));
    redis = await startRedis(join(here, "redis"), { password });
    redis = { ...redis, url: `redis://:${encodeURIComponent(password)}@127.0.0.1:${redis.port}` };
  });
  afterAll(() => redis.stop());
  beforeEach(async () => {
    folder++;
    const client = new Redis(redis.url);
    await client.flushall();
    client.disconnect();
  });
  const screen = (...argv: string[]) => saunet(here, ["screen", ...argv, "--queue", redis.url]);
  const submit = async (...argv: string[]) => {
    const { out, err } = await screen(
      "submit",
      ...argv,
      "-o",
      `r${folder}`,
      "--weights",
      "tiny.safetensors",
      "--json",
    );
    return { ...JSON.parse(out), err };
  };
  const status = async () => JSON.parse((await screen("status", "--json")).out);
  const started = (argv: readonly string[], env = {}) =>
    start(here, "env", [
      ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
      process.execPath,
      command,
      ...argv,
    ]);
  const work = (...argv: string[]) =>
    started(["screen", "work", "--queue", redis.url, "--threads", "1", "--until-empty", ...argv]).ended;

  it("adds a photograph once, whatever it is called by, and does it once", async () => {
    expect(await submit("eyes")).toEqual({ submitted: 3, known: 0, done: 0, unreadable: 0, err: "" });
    expect(await submit("eyes/a.png", "./eyes/../eyes/b.png")).toMatchObject({ submitted: 0, known: 2 });
    expect(await submit("eyes/a.png", "--threshold", "0.4")).toMatchObject({ submitted: 1 });
    expect((await work()).code).toBe(0);
    expect(await submit("eyes")).toMatchObject({ submitted: 0, known: 0, done: 3 });
    expect(await status()).toMatchObject({ waiting: 0, active: 0, failed: 0, done: 4 });
    // What somebody removed is done again.
    const shards = join(here, `r${folder}`, "rows");
    await rm(shards, { recursive: true });
    expect(await submit("eyes/a.png")).toMatchObject({ submitted: 1, known: 0, done: 0 });
    expect((await submit("eyes", "--threshold", "0.4")).submitted).toBe(3);
    expect((await submit("eyes")).submitted).toBe(2);
    expect((await work()).code).toBe(0);
    // A queue that is lost costs nothing that is done.
    const client = new Redis(redis.url);
    await client.flushall();
    client.disconnect();
    expect(await submit("eyes")).toMatchObject({ submitted: 0, known: 0, done: 3 });
    expect((await screen("status")).out).toContain("0 wait");
    expect((await saunet(here, ["screen", "collect", `r${folder}`, "-o", "t.csv"])).out).toBe(
      "6 photographs -> t.csv\n",
    );
    const rows = (await readFile(join(here, "t.csv"), "utf8")).trimEnd().split("\n");
    expect(rows).toHaveLength(7);
    expect(new Set(rows).size).toBe(7);
  });

  it("reads lists on standard input, and goes on behind what is not there", async () => {
    const list = Array.from({ length: 450 }, (_, n) =>
      n % 3 === 0 ? "eyes/a.png" : `eyes/none${n}.png`,
    ).join("\n");
    await writeFile(join(here, "list"), `${list}\n\n`);
    const {
      stdout,
      stderr,
      status: code,
    } = spawnSync(
      process.execPath,
      [command, "screen", "submit", "-", "-o", "r", "--weights", "tiny.safetensors", "--queue", redis.url],
      { cwd: here, input: await readFile(join(here, "list")), encoding: "utf8" },
    );
    expect([code, stdout]).toEqual([1, "1 photograph submitted, 149 in the queue already, 300 unreadable\n"]);
    expect(stderr.split("\n")[0]).toMatch(/^saunet: .*\/eyes\/none\d+\.png: no such file or folder$/);
  });

  it("fails at once what cannot be read, tells why, and tries it again when asked", async () => {
    const eye = await readFile(join(here, "eyes/a.png"));
    await mkdir(join(here, "odd"), { recursive: true });
    await writeFile(join(here, "odd/cut.png"), eye.subarray(0, 900));
    await writeFile(join(here, "odd/gone.png"), Buffer.concat([eye, Buffer.from("2")]));
    await writeFile(join(here, "odd/new.png"), Buffer.concat([eye, Buffer.from("3")]));
    await submit("odd", "eyes/b.png");
    await rm(join(here, "odd/gone.png"));
    await writeFile(join(here, "odd/new.png"), eye);
    const { code, err } = await work();
    expect(code).toBe(0);
    expect(err.trimEnd().split("\n")).toHaveLength(3);
    const { failed, done, failures } = await status();
    expect([failed, done]).toEqual([3, 1]);
    expect(failures.map(({ reason }: { reason: string }) => reason).sort()).toEqual([
      "has changed since it was submitted",
      expect.stringMatching(/^is damaged or cut short/),
      "no such file or folder",
    ]);
    await writeFile(join(here, "odd/gone.png"), Buffer.concat([eye, Buffer.from("2")]));
    expect((await screen("retry")).out).toBe("3 photographs to be tried again\n");
    await work();
    expect(await status()).toMatchObject({ failed: 2, done: 2 });
    expect(await readdir(join(here, `r${folder}`, "aside"))).toEqual([]);
  });

  it("takes photographs from URLs: as from files, refused where they are gone or are others by now", async () => {
    const [a, b] = await Promise.all(
      ["a", "below/a"].map((name) => readFile(join(here, `eyes/${name}.png`))),
    );
    let asked = 0;
    const server = createServer((request, response) => {
      if (request.url === "/gone.png") return response.writeHead(404).end();
      // Another picture from its second request on.
      response.end(request.url === "/eye%201.png?v=2" ? a : asked++ === 0 ? a : b);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const urls = [`${url}/eye 1.png?v=2`, `${url}/changes.png`, `${url}/gone.png`];
      const { err, ...counts } = await submit(...urls, "eyes/a.png");
      expect(counts).toEqual({ submitted: 3, known: 0, done: 0, unreadable: 1 });
      expect(err).toBe(`saunet: ${url}/gone.png: the server answers 404\n`);
      await work();
      expect(await status()).toMatchObject({ waiting: 0, done: 2, failed: 1 });
      const folders = join(here, `r${folder}`, "pictures");
      const names = (await readdir(folders, { recursive: true })).filter((name) => name.endsWith("mask.png"));
      const [one, other] = await Promise.all(names.map((name) => readFile(join(folders, name))));
      expect(names.some((name) => name.includes("/eye 1-") || name.includes("/eye_201-"))).toBe(true);
      expect(one.equals(other)).toBe(true);
      expect((await screen("status")).out).toContain(`${url}/changes.png`);
    } finally {
      server.close();
    }
  });

  it("pauses, resumes and drains", async () => {
    await submit("eyes");
    await screen("pause");
    const worker = started(["screen", "work", "--queue", redis.url, "--threads", "1", "--until-empty"]);
    await expect.poll(async () => (await status()).workers).toBe(1);
    expect(await status()).toMatchObject({ waiting: 3, isPaused: true, done: 0 });
    expect((await screen("drain")).out).toMatch(/^3 photographs taken out of the queue/);
    expect((await worker.ended).code).toBe(0);
    expect((await screen("resume")).out).toBe("resumed\n");
    expect(await submit("eyes")).toMatchObject({ submitted: 3 });
    expect(await status()).toMatchObject({ waiting: 3, isPaused: false });
  });

  it("ends when asked, also while Redis is away", async () => {
    for (const more of [[], ["--until-empty"]]) {
      const worker = started(["screen", "work", "--queue", redis.url, "--threads", "1", ...more]);
      await submit("eyes/a.png");
      await screen("pause");
      await expect.poll(async () => (await status()).workers).toBe(1);
      const isBack = redis.restart("SIGTERM", 4000);
      await pause(1500);
      worker.child.kill("SIGTERM");
      expect((await worker.ended).code).toBe(0);
      await isBack;
    }
  });

  it("gives back what it cannot finish in time when it is asked to end, and no try is lost", async () => {
    const image = await readFile(join(here, "eyes/a.png"));
    let isSlow = false;
    const held: (() => void)[] = [];
    const server = createServer((_, response) => {
      if (isSlow) held.push(() => response.destroy());
      else response.end(image);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      await submit(`http://127.0.0.1:${(server.address() as AddressInfo).port}/eye.png`);
      isSlow = true;
      const worker = started(["screen", "work", "--queue", redis.url, "--threads", "1", "--grace", "1"]);
      await expect.poll(() => held.length).toBe(1);
      expect(await status()).toMatchObject({ waiting: 0, active: 1 });
      worker.child.kill("SIGTERM");
      expect((await worker.ended).code).toBe(0);
      expect(await status()).toMatchObject({ waiting: 1, active: 0, done: 0, failed: 0 });
      isSlow = false;
      await work();
      expect(await status()).toMatchObject({ waiting: 0, done: 1, failed: 0 });
      await saunet(here, ["screen", "collect", `r${folder}`, "-o", "given-back.csv"]);
      const [header, row] = (await readFile(join(here, "given-back.csv"), "utf8")).split("\n");
      expect(row.split(",")[header.split(",").indexOf("tries")]).toBe("1");
    } finally {
      for (const end of held) end();
      server.close();
    }
  });

  it("says when the password is wrong, and never what it is", async () => {
    const wrong = await saunet(here, [
      "screen",
      "status",
      "--queue",
      `redis://:secret@127.0.0.1:${redis.port}`,
    ]);
    expect([wrong.code, wrong.err]).toEqual([
      1,
      `saunet: Redis at 127.0.0.1:${redis.port}: the password is wrong or missing\n`,
    ]);
  });

  it("speaks TLS, to a Redis whose certificate it trusts alone", async () => {
    const tls = join(here, "tls");
    await mkdir(tls);
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
    const made = spawnSync(
      "openssl",
      [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
        ...subject,
      ],
      { cwd: tls },
    );
    expect(made.status).toBe(0);
    const port = redis.port + 1 > 65_535 ? redis.port - 1 : redis.port + 1;
    const more = [
      "--tls-port",
      String(port),
      "--tls-cert-file",
      "tls/cert.pem",
      "--tls-key-file",
      "tls/key.pem",
      "--tls-auth-clients",
      "no",
    ];
    const other = await startRedis(tls, { more: more.map((each) => each.replace("tls/", `${tls}/`)) });
    try {
      const argv = ["screen", "status", "--queue", `rediss://127.0.0.1:${port}`];
      const trusted = await started(argv, { NODE_EXTRA_CA_CERTS: join(tls, "cert.pem") }).ended;
      expect([trusted.code, trusted.err]).toEqual([0, ""]);
      const { code, err } = await started(argv).ended;
      expect([code, err]).toEqual([1, expect.stringMatching(/^saunet: Redis at .*: .*certificate\n$/)]);
    } finally {
      await other.stop();
    }
  });
});

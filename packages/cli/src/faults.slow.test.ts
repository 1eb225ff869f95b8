// Every command that writes, over a layer of files in which each write, sync, rename … fails in its turn, in every way that
// disks fail. Afterwards each output is the old one or the new one, whole, and every input is what it was.

import fs, { existsSync } from "node:fs";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { saunet, smallFundus, write, writeFolder, writeFreshWeights } from "./testing.ts";

// Hundreds of runs, and how they compute changes no file.
vi.mock("@saunet/wasm", async (original) => (await import("./testing-engine.ts")).portableEngine(original));

const torch = fileURLToPath(new URL("../../../fixtures/files/torch/sa-unet-v2.safetensors", import.meta.url));
let here: string;
const at = (...names: string[]) => join(here, ...names);

/** How an operation fails. A short write puts down half of what it was given: the disk fills up in the middle. */
const FAULTS = ["ENOSPC", "EIO", "EPERM", "short"] as const;
type Fault = (typeof FAULTS)[number];
/** One way for each operation and state of the outputs, in turn; with SAUNET_FAULTS=all every way. */
const ALL = process.env.SAUNET_FAULTS === "all";
const faultsOf = (turn: number): readonly Fault[] => (ALL ? FAULTS : [FAULTS[turn % FAULTS.length]]);
/** Every way takes a quarter of an hour for some commands. */
const TIMEOUT = ALL ? 3_600_000 : undefined;
/** A training runs twice for each fault: without SAUNET_FAULTS=all every fifth operation fails, so that the ways take turns. */
const STEP_OF_TRAINING = ALL ? 1 : 5;

/** Counts what changes files below a folder, and lets one operation fail. */
class FaultyFiles {
  count = 0;
  names: string[] = [];
  readonly #restore: (() => void)[] = [];
  readonly #fail: { readonly at: number; readonly fault: Fault } | undefined;

  constructor(fail?: { readonly at: number; readonly fault: Fault }) {
    this.#fail = fail;
  }

  /** The fault of this operation, where it is its turn. */
  #turn(name: string): Fault | undefined {
    this.names.push(name);
    return this.count++ === this.#fail?.at ? this.#fail.fault : undefined;
  }

  static #error(fault: Fault): NodeJS.ErrnoException {
    const code = fault === "short" ? "ENOSPC" : fault;
    return Object.assign(new Error(`${code}: injected`), { code });
  }

  /** Puts a function in front of a method until {@link remove}. */
  #wrap<T extends object>(
    owner: T,
    name: keyof T & string,
    around: (call: () => unknown, args: unknown[]) => unknown,
  ) {
    const original = owner[name] as unknown as (...args: unknown[]) => unknown;
    const wrapped = function (this: unknown, ...args: unknown[]) {
      return around(() => original.apply(this, args), args);
    };
    Object.assign(owner, { [name]: wrapped });
    this.#restore.push(() => Object.assign(owner, { [name]: original }));
  }

  async install(): Promise<void> {
    const handle = await fs.promises.open(at("tiny.safetensors"));
    const handles = Object.getPrototypeOf(handle) as fs.promises.FileHandle;
    await handle.close();
    const refuse = (name: string) => async (call: () => unknown) => {
      const fault = this.#turn(name);
      if (fault !== undefined) throw FaultyFiles.#error(fault);
      return call();
    };
    for (const name of ["rename", "mkdir", "rm"] as const) this.#wrap(fs.promises, name, refuse(name));
    this.#wrap(fs.promises, "open", async (call, [, flags]) => {
      if (flags === undefined || flags === "r") return call();
      return refuse("open")(call);
    });
    for (const name of ["sync", "truncate"] as const) this.#wrap(handles, name, refuse(name));
    for (const name of ["writeFile", "appendFile"] as const) {
      // `this` is the handle: half of the content goes to the file before the error.
      const original = handles[name] as (this: unknown, content: Uint8Array | string) => Promise<void>;
      const turn = (what: string) => this.#turn(what);
      const faulty = async function (this: unknown, content: Uint8Array | string) {
        const fault = turn(name);
        if (fault === "short") await original.call(this, content.slice(0, content.length / 2));
        if (fault !== undefined) throw FaultyFiles.#error(fault);
        return original.call(this, content);
      };
      Object.assign(handles, { [name]: faulty });
      this.#restore.push(() => Object.assign(handles, { [name]: original }));
    }
    // The ranked pixels of an evaluation are written synchronously, and go on after a short write.
    const writeSync = fs.writeSync as (...args: unknown[]) => number;
    const turn = () => this.#turn("writeSync");
    const faultySync = (fd: number, bytes: Uint8Array, offset: number, length: number, position: number) => {
      const fault = turn();
      if (fault === "short") return writeSync(fd, bytes, offset, Math.ceil(length / 2), position);
      if (fault !== undefined) throw FaultyFiles.#error(fault);
      return writeSync(fd, bytes, offset, length, position);
    };
    Object.assign(fs, { writeSync: faultySync });
    this.#restore.push(() => Object.assign(fs, { writeSync }));
    for (const name of ["mkdtempSync", "openSync"] as const) {
      this.#wrap(fs, name, (call, args) => {
        const fault = String(args[0]).includes("saunet-pixels-") ? this.#turn(name) : undefined;
        if (fault !== undefined) throw FaultyFiles.#error(fault);
        return call();
      });
    }
    syncBuiltinESMExports();
  }

  remove(): void {
    for (const restore of this.#restore.reverse()) restore();
    syncBuiltinESMExports();
  }
}

/** Runs a command over a layer that fails in one place, or nowhere. */
async function over(argv: readonly string[], fail?: { readonly at: number; readonly fault: Fault }) {
  const files = new FaultyFiles(fail);
  await files.install();
  try {
    return { ...(await saunet(here, argv)), count: files.count, names: files.names };
  } finally {
    files.remove();
  }
}

const folder = ["--dataset", "folder", "--data", "set"];
/** As few photographs as leave one when one fails: their intervals take most of a run. */
const pair = ["--dataset", "folder", "--data", "pair"];
const small = ["--weights", "tiny.safetensors", "--threads", "1"];
const commands: Record<
  string,
  { readonly argv: string[]; readonly outputs: string[]; readonly makes?: string }
> = {
  segment: {
    argv: ["segment", "x.png", ...small, "-o", "out"],
    outputs: ["probability", "mask", "overlay"].map((kind) => `out/x-${kind}.png`),
  },
  import: {
    argv: ["import", "torch.safetensors", "-o", "out/imported.safetensors"],
    outputs: ["out/imported.safetensors"],
  },
  export: {
    argv: [
      "export",
      "--weights",
      "tiny.safetensors",
      "--onnx",
      "out/m.onnx",
      "--safetensors",
      "out/m.safetensors",
      "--half",
    ],
    outputs: ["out/m.onnx", "out/m.safetensors"],
  },
  average: {
    argv: ["average", "tiny.safetensors", "other.safetensors", "-o", "out/average.safetensors"],
    outputs: ["out/average.safetensors"],
  },
  evaluate: {
    argv: ["evaluate", ...pair, ...small, "--csv", "out/figures.csv"],
    outputs: ["out/figures.csv"],
  },
  profile: {
    argv: ["profile", "x.png", ...small, "--runs", "1", "--trace", "out/trace.json"],
    outputs: ["out/trace.json"],
  },
  report: {
    argv: ["report", "run", ...pair, "--threads", "1"],
    outputs: ["run/report.html", "run/evaluation.json"],
  },
};

beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-faults-"));
  await writeFreshWeights(at("tiny.safetensors"));
  await writeFreshWeights(at("other.safetensors"), undefined, 4);
  await write(at("x.png"), smallFundus(1).image);
  await cp(torch, at("torch.safetensors"));
  await writeFolder(at("set"), ["a", "b", "c"]);
  await writeFolder(at("pair"), ["a", "b"]);
  await fs.promises.mkdir(at("out"));
  const run = ["train", "-o", "run", ...folder, ...small, "--crop", "16", "--batch", "1"];
  expect((await saunet(here, [...run, "--epochs", "1", "--steps", "2"])).code).toBe(0);
});
afterAll(() => rm(here, { recursive: true, force: true }));

/** Everything below the folder by its name, without locks. */
async function contents(): Promise<Map<string, Buffer>> {
  const files = await readdir(here, { recursive: true, withFileTypes: true });
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  const found = new Map<string, Buffer>();
  for (const path of paths.sort())
    if (!path.endsWith(".lock")) found.set(path.slice(here.length + 1), await readFile(path));
  return found;
}

/** What differs from one run to the next: how long things took. */
const timeless = (bytes: Buffer | undefined) =>
  bytes
    ?.toString("latin1")
    .replace(/\d+\.\d+ (s|ms)\b|"(ts|dur|segmentation|figures|seconds)": ?[\d.e-]+/g, "") ?? "none";

/** Whether a file of figures has its end. */
function isWhole(name: string, text: string): boolean {
  if (text.startsWith("old ")) return text === `old ${name}`;
  if (name.endsWith(".json")) return typeof JSON.parse(text) === "object";
  if (name.endsWith(".html")) return text.trimEnd().endsWith("</html>");
  const columns = text.split("\n").map((line) => line.split(",").length);
  return columns.pop() === 1 && columns.every((count) => count === columns[0]);
}

describe.each(Object.entries(commands))("saunet %s", (_, { argv, outputs }) => {
  it.each(["none before", "old ones before"])(
    "leaves each output old or new, whole, with %s",
    async (before) => {
      for (const output of outputs) await rm(at(output), { force: true });
      const clean = await over(argv);
      expect([clean.code, clean.err]).toEqual([0, ""]);
      expect(clean.count, clean.names.join()).toBeGreaterThan(3 * outputs.length);
      const fresh = await contents();
      const isOld = before === "old ones before";
      for (let turn = 0; turn < clean.count; turn++) {
        for (const fault of faultsOf(isOld ? turn + 2 : turn)) {
          for (const output of outputs) {
            // The old one is the same picture, or what a user had there; segment replaces its own only.
            if (!isOld) await rm(at(output), { force: true });
            else
              await fs.promises.writeFile(
                at(output),
                argv[0] === "segment" ? fresh.get(output)! : `old ${output}`,
              );
          }
          const start = await contents();
          const { code, err, names } = await over(argv, { at: turn, fault });
          const title = `${fault} at ${names[turn]}, number ${turn}`;
          const after = await contents();
          if (code === 0) expect(err, title).toBe("");
          else expect(err, title).toMatch(/^saunet: .*\n$/);
          expect(err, title).not.toContain("unexpected");
          const failsSoftly =
            names[turn] === "rm" ||
            names[turn] === "mkdir" ||
            (names[turn] === "writeSync" && fault === "short");
          if (!failsSoftly) expect(code, title).toBe(1);
          for (const [name, content] of after) {
            if (name.endsWith(".tmp")) expect(names[turn], `${title}: ${name} stays`).toBe("rm");
            else if (outputs.includes(name)) {
              // An image whose pixels found no room is left out, and said to be.
              if (names[turn] === "writeSync") {
                expect(isWhole(name, String(content)), `${title}: ${name} is whole`).toBe(true);
                continue;
              }
              const allowed = [timeless(start.get(name)), timeless(fresh.get(name))];
              expect(allowed.includes(timeless(content)), `${title}: ${name}`).toBe(true);
            } else expect(content.equals(start.get(name)!), `${title}: ${name} changed`).toBe(true);
          }
          for (const name of start.keys()) expect(after.has(name), `${title}: ${name} is gone`).toBe(true);
          for (const name of after.keys()) if (name.endsWith(".tmp")) await rm(at(name));
        }
      }
    },
    TIMEOUT,
  );
});

describe("saunet train", () => {
  beforeEach(() => rm(at("broken"), { recursive: true, force: true }));
  const argv = (run: string) => [
    ...[
      "train",
      "-o",
      run,
      ...folder,
      ...small,
      "--crop",
      "16",
      "--batch",
      "1",
      "--epochs",
      "2",
      "--steps",
      "2",
    ],
    "--no-report",
  ];
  const entries = async (run: string) =>
    (await readFile(at(run, "log.jsonl"), "utf8"))
      .trimEnd()
      .split("\n")
      .map((line) => {
        const { seconds: _, rss: __, ...entry } = JSON.parse(line);
        return entry;
      });

  it(
    "ends with an error whatever fails, and goes on from there to the same end",
    async () => {
      const clean = await over(argv("undisturbed"));
      expect([clean.code, clean.err]).toEqual([0, ""]);
      expect(clean.count).toBeGreaterThan(25);
      const turns = Array.from(
        { length: Math.ceil(clean.count / STEP_OF_TRAINING) },
        (_, i) => STEP_OF_TRAINING * i,
      );
      for (const [turn, fault] of turns.flatMap((turn) =>
        faultsOf(turn).map((fault) => [turn, fault] as const),
      )) {
        await rm(at("broken"), { recursive: true, force: true });
        const { code, err, names } = await over(argv("broken"), { at: turn, fault });
        const title = `${fault} at ${names[turn]}, number ${turn}`;
        expect([code, err], title).toEqual([1, expect.stringMatching(/^saunet: .*\n$/)]);
        expect(err, title).not.toContain("unexpected");
        const again = existsSync(at("broken", "config.json"))
          ? ["train", "--resume", "broken", "--threads", "1"]
          : argv("broken");
        expect(await saunet(here, again), title).toMatchObject({ code: 0, err: "" });
        expect(await entries("broken"), title).toEqual(await entries("undisturbed"));
        for (const file of ["last.safetensors", "best.safetensors"]) {
          expect(
            (await readFile(at("broken", file))).equals(await readFile(at("undisturbed", file))),
            title,
          ).toBe(true);
        }
        expect(
          (await readdir(at("broken"))).filter((name) => name.endsWith(".tmp")),
          title,
        ).toEqual([]);
      }
    },
    TIMEOUT ?? 1_800_000,
  );
});

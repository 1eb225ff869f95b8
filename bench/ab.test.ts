// Two builds against each other, with programs that build them and a bench that are played.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, test, vi } from "vitest";
import { commands } from "./commands.ts";
import { runCommand } from "./options.ts";
import { BENCH } from "./paths.ts";
import { run } from "./run.ts";
import type { Results } from "./schema.ts";
import { HERE } from "./session-process.ts";
import { USUAL } from "./settings.ts";
import { file, repeated } from "./testing.ts";

vi.mock("./run.ts", async (original) => ({ ...(await original<object>()), run: vi.fn() }));
vi.mock("node:child_process", async (original) => {
  const module = await original<{ execFileSync: typeof execFileSync }>();
  return { ...module, execFileSync: vi.fn(module.execFileSync) };
});

test.each([
  [["HEAD"], "ab: wants a bench behind --"],
  [["--", "kernels"], "ab: wants a revision or two, or --node-b, or --flags-b"],
  [["a", "b", "c", "--", "kernels"], "ab: wants two revisions at most"],
  [["no-such-revision", "--", "kernels"], 'ab: there is no revision "no-such-revision"'],
  [
    ["--node-b", "no-such-node", "--", "kernels"],
    'ab: no Node "no-such-node": is neither a path nor a version',
  ],
  [["--node-b", "22.1.2.3", "--", "kernels"], 'ab: no Node "22.1.2.3": is neither a path nor a version'],
  [["--out", "x.json", "--flags-b=--no-opt", "--", "kernels"], "--out: wants a %"],
  // What ab says itself is not said twice.
  [["--flags-b=--no-opt", "--", "kernels", "--repeat", "3"], "unknown option '--repeat'"],
  [["--flags-b=--no-opt", "--", "compare", "x", "y"], "unknown command 'compare'"],
])("ab %j is refused in one line", async (args, message) => {
  await expect(runCommand(commands, ["ab", ...args])).rejects.toThrow(message);
  await expect(runCommand(commands, ["ab", ...args])).rejects.toMatchObject({
    name: "UsageError",
    message: expect.not.stringContaining("\n"),
  });
});

test("nothing stands behind -- where nothing is wanted there", async () => {
  await expect(runCommand(commands, ["machine", "--", "kernels"])).rejects.toThrow(
    'machine: wants nothing behind --, but there is "kernels"',
  );
});

describe("two arms", () => {
  const root = dirname(BENCH);
  const folder = mkdtempSync(join(tmpdir(), "saunet-ab-"));
  const builds = join(BENCH, "node_modules", ".cache", "builds");
  const commits: Readonly<Record<string, string>> = {
    one: "00000000da7a".padEnd(40, "1"),
    two: "00000000da7b".padEnd(40, "2"),
  };
  const homeOf = (revision: string) => join(builds, commits[revision].slice(0, 12));
  const mainOf = (revision: string) => join(homeOf(revision), "bench", "dist", "main.js");
  const six = (ms: number) => [0, 1, 2, 3, 4, 5].map((i) => ms + i / 100);
  const [fast, slow] = [file(repeated("x", six(10))), file(repeated("x", six(20)))];
  /** What a revision of today holds of what a build looks at. */
  const today = ["bench/session-worker.ts", "scripts/build.mjs"];
  let printed = "";
  let programs: string[] = [];

  const write = (path: string, text = "") => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  /** Programs that do as they should, up to one that fails. */
  const play = (files: readonly string[], failing?: string) =>
    vi.mocked(execFileSync).mockImplementation((program, args = [], options = {}) => {
      const words = [program === process.execPath ? "node" : program, ...args];
      const cwd = String(options.cwd ?? root);
      programs.push(`${cwd.replace(root, "")}> ${words.join(" ").replaceAll(root, "")}`);
      if (failing !== undefined && words.includes(failing)) throw new Error("no space\nleft");
      const last = words.at(-1)!;
      if (words[1] === "rev-parse") return `${commits[last.replace("^{commit}", "")]}\n`;
      if (words[1] === "clone") {
        write(join(last, "package.json"), JSON.stringify({ packageManager: "pnpm@1.2.3" }));
        for (const each of files) write(join(last, each));
      }
      if (last === "bench") write(join(cwd, "bench", "dist", "main.js"));
      return last === "process.execPath" ? "/of/npm/node\n" : "";
    });
  const gives = (...results: Results[]) => vi.mocked(run).mockReset().mockResolvedValue(results);
  const typed = (...words: readonly string[]) => runCommand(commands, ["ab", ...words]);
  const armsOf = () => vi.mocked(run).mock.calls[0][0].arms.map(({ arm }) => arm);
  const remove = () => {
    for (const revision of Object.keys(commits))
      for (const end of ["", ".unfinished"])
        rmSync(`${homeOf(revision)}${end}`, { recursive: true, force: true });
  };

  beforeEach(() => {
    remove();
    [printed, programs] = ["", []];
    const note = (before: string) => (chunk: unknown) => {
      printed += `${before}${chunk}`;
      return true;
    };
    vi.spyOn(process.stdout, "write").mockImplementation(note(""));
    vi.spyOn(process.stderr, "write").mockImplementation(note("stderr: "));
    gives(fast, slow);
    play(today);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.resetAllMocks();
  });
  afterAll(() => {
    remove();
    rmSync(folder, { recursive: true });
  });

  it("are two revisions, each built once in a clone of its own", async () => {
    expect(await typed("one", "two", "--", "kernels", "--quick", "--threads", "2")).toBe(0);
    expect(vi.mocked(run).mock.calls[0][0]).toMatchObject({
      ...{ bench: "kernels", repeat: 7, settings: { ...USUAL, quick: true, threads: [2] } },
      command: "pnpm bench ab one two -- kernels --quick --threads 2",
    });
    const { node, flags } = HERE;
    expect(armsOf()).toEqual(
      ["one", "two"].map((revision) => ({
        ...{ label: `${commits[revision]} ${node}`, node, flags, main: mainOf(revision) },
      })),
    );
    const inClone = `${homeOf("one").replace(root, "")}.unfinished`;
    expect(programs.slice(0, programs.length / 2)).toEqual([
      "> git rev-parse --verify --quiet --end-of-options one^{commit}",
      `> git clone --quiet --shared --no-checkout  ${inClone}`,
      `${inClone}> git checkout --quiet --detach ${commits.one}`,
      `${inClone}> npx --yes pnpm@1.2.3 install --frozen-lockfile --prefer-offline`,
      `${inClone}> node ${join("scripts", "build.mjs")} bench`,
    ]);
    expect(printed).toContain(`stderr: bench: building one in ${homeOf("one")} (once)\n`);
    expect(printed).toMatch(/x\/1 .* slower\n/);
    programs = [];
    await typed("one", "--", "kernels");
    expect(programs).toEqual(["> git rev-parse --verify --quiet --end-of-options one^{commit}"]);
  });

  it("are a revision and this build, where one is named; older ones have another way to be built", async () => {
    play(["bench/session-worker.ts"]);
    await typed("one", "--", "model");
    expect(armsOf()).toMatchObject([
      { main: mainOf("one") },
      { label: `here ${HERE.node}`, main: HERE.main },
    ]);
    expect(programs.at(-1)).toMatch(/> node node_modules.typescript.bin.tsc -b bench$/);
  });

  it.each([
    ["clone", today, "no space"],
    ["checkout", today, "no space"],
    ["install", today, "no space"],
    ["bench", today, "no space"],
    [undefined, [], "its bench is older than ab, and cannot take turns"],
  ])("are refused in one line where a build fails: at %s", async (failing, files, reason) => {
    play(files, failing);
    const built = typed("one", "--", "model");
    await expect(built).rejects.toMatchObject({
      name: "UsageError",
      message: `ab: cannot build one: ${reason}`,
    });
    play(today);
    expect(await typed("one", "--", "model")).toBe(0);
  });

  it("are two Nodes, by path or by version, and two sets of flags", async () => {
    await typed(
      "--node-a",
      process.execPath,
      "--node-b",
      "22",
      "--flags-b=--no-opt  --jitless",
      "--",
      "model",
    );
    expect(armsOf()).toEqual([
      { ...HERE, label: `here ${process.execPath}`, node: process.execPath },
      {
        ...{ label: "here /of/npm/node --no-opt --jitless", node: "/of/npm/node", main: HERE.main },
        flags: [...HERE.flags, "--no-opt", "--jitless"],
      },
    ]);
    expect(programs).toEqual([
      "> node --version",
      "> npm exec --yes --package node@22 -- node -p process.execPath",
    ]);
    gives(fast, slow);
    await typed("--flags-a=--no-opt", "--", "model");
    expect(armsOf()).toMatchObject([{ flags: [...HERE.flags, "--no-opt"] }, { flags: HERE.flags }]);
  });

  it("leave a file each, and an exit code", async () => {
    const out = join(folder, "out-%.json");
    expect(await typed("one", "--out", out, "--bound", "50", "--", "model")).toBe(1);
    const read = (which: string) => JSON.parse(readFileSync(join(folder, `out-${which}.json`), "utf8"));
    expect([read("a"), read("b")]).toEqual([fast, slow]);
    gives(slow, fast);
    expect(await typed("one", "--bound", "50", "--", "model")).toBe(0);
    gives(fast, file(...slow.results, { name: "y", threads: 1, status: "failed", reason: "no memory" }));
    expect(await typed("one", "--", "model")).toBe(1);
    gives(fast, { ...slow, interrupted: true });
    printed = "";
    expect(await typed("one", "--out", join(folder, "stopped-%.json"), "--", "model")).toBe(130);
    expect([printed, existsSync(join(folder, "stopped-a.json"))]).toEqual(["", false]);
  });

  it("are not measured where help is wanted", async () => {
    expect(await typed("--flags-b=--no-opt", "--", "model", "--help")).toBe(0);
    expect(run).not.toHaveBeenCalled();
    expect(printed).toContain("Usage: pnpm bench model");
  });
});

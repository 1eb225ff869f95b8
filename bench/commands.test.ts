// The commands as a person types them, those that measure with a bench that is played.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { commands } from "./commands.ts";
import { runCommand } from "./options.ts";
import { run } from "./run.ts";
import type { Results } from "./schema.ts";
import { file, repeated, row } from "./testing.ts";

vi.mock("./run.ts", async (original) => ({ ...(await original<object>()), run: vi.fn() }));

vi.mock("./report/report.ts", async (original) => ({
  ...(await original<object>()),
  resultFile: (bench: string) => path(`reported-${bench}.json`),
  writeReport: async () => "the page\n",
}));

const folder = mkdtempSync(join(tmpdir(), "saunet-bench-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = (name: string) => join(folder, name);
let printed = "";
beforeEach(() => {
  printed = "";
  vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    printed += chunk;
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((chunk) => {
    printed += `stderr: ${chunk}`;
    return true;
  });
});
afterEach(() => void vi.restoreAllMocks());
const typed = (...words: readonly string[]) => runCommand(commands, words);

describe("a bench", () => {
  const measured: Results = file(row("saunet", 10));
  const gives = (results: Results) => vi.mocked(run).mockReset().mockResolvedValue([results]);

  it("prints a table, JSON or CSV, and keeps what --out names", async () => {
    gives(measured);
    expect(await typed("model")).toBe(0);
    expect(printed).toMatch(/saunet +1 +10/);
    printed = "";
    expect(await typed("model", "--csv", "--out", path("model.json"))).toBe(0);
    expect(printed).toMatch(/^shape,name,threads/);
    expect(JSON.parse(readFileSync(path("model.json"), "utf8"))).toEqual(measured);
    printed = "";
    await typed("model", "--json");
    expect(JSON.parse(printed)).toEqual(measured);
  });

  it("is measured as it was asked for", async () => {
    gives(measured);
    await typed("lab", "--repeat", "3", "--over", "20", "--attempts", "1,5", "--seconds", "0.5");
    expect(vi.mocked(run).mock.calls[0][0]).toMatchObject({
      ...{
        bench: "lab",
        repeat: 3,
        over: 20,
        command: "pnpm bench lab --repeat 3 --over 20 --attempts 1,5 --seconds 0.5",
      },
      settings: { attempts: ["1", "5"], seconds: 0.5 },
    });
  });

  it("exits with 1 where something failed, and with 130 where a person stopped it, keeping what there is", async () => {
    gives(file(row("saunet", 10), { name: "peer", threads: 1, status: "failed", reason: "no memory" }));
    expect(await typed("model")).toBe(1);
    gives({ ...measured, interrupted: true });
    expect(await typed("model", "--out", path("stopped.json"))).toBe(130);
    expect(printed).toMatch(
      /stderr: bench: kept in .*stopped\.json.*; the same command with --resume goes on\n/,
    );
    expect(existsSync(path("stopped.json"))).toBe(false);
  });

  it("wants a name for each of several browsers", async () => {
    const two = typed("kernels", "--browser", "chromium,firefox", "--out", path("both.json"));
    await expect(two).rejects.toThrow("--out: wants a % where the name of each browser goes");
  });
});

describe("the report", () => {
  const measured = file(row("saunet", 10));
  const benches = () => vi.mocked(run).mock.calls.map(([{ bench }]) => bench);

  it("measures each bench that is on the page but the one of photographs, where it is asked to", async () => {
    vi.mocked(run).mockReset().mockResolvedValue([measured]);
    expect(await typed("report")).toBe(0);
    expect([printed, benches()]).toEqual(["the page\n", []]);
    expect(await typed("report", "--measure")).toBe(0);
    expect(benches()).toEqual(["model", "train", "sizes", "layers", "matmul", "lab"]);
    expect(printed).toMatch(/the page\n$/);
    expect(printed).toContain("stderr: bench: layers\n");
    for (const bench of benches())
      expect(JSON.parse(readFileSync(path(`reported-${bench}.json`), "utf8"))).toEqual(measured);
  });

  it("ends at a bench that failed, and is not written then", async () => {
    const broken = file({ name: "peer", threads: 1, status: "failed", reason: "no memory" });
    vi.mocked(run).mockReset().mockResolvedValueOnce([measured]).mockResolvedValue([broken]);
    expect(await typed("report", "--measure")).toBe(1);
    expect(benches()).toEqual(["model", "train"]);
    expect(printed).not.toContain("the page");
  });
});

describe("what reads result files", () => {
  const save = (name: string, ms: number) => {
    const results = file(
      repeated(
        "x",
        [0, 1, 2, 3, 4, 5].map((i) => ms + i / 100),
      ),
    );
    writeFileSync(path(name), JSON.stringify(results));
    return path(name);
  };

  it("compares two, with an exit code where one is slower past a bound", async () => {
    const [fast, slow] = [save("fast.json", 10), save("slow.json", 20)];
    expect(await typed("compare", fast, slow)).toBe(0);
    expect(printed).toMatch(/x\/1 .* slower\n/);
    expect(await typed("compare", fast, slow, "--bound", "50")).toBe(1);
    expect(await typed("compare", slow, fast, "--bound", "50")).toBe(0);
    await expect(typed("compare", fast)).rejects.toThrow("compare: wants two result files");
    await expect(typed("compare", fast, path("none.json"))).rejects.toThrow(/none\.json: ENOENT/);
    writeFileSync(path("newer.json"), JSON.stringify({ ...file(), schema: 9 }));
    await expect(typed("compare", fast, path("newer.json"))).rejects.toThrow(
      "newer.json: is of version 9; this bench reads up to 2",
    );
    writeFileSync(path("other.json"), JSON.stringify({ bench: "model" }));
    await expect(typed("compare", fast, path("other.json"))).rejects.toThrow(
      /other\.json: is no result file: command: /,
    );
  });

  it("makes a page of them, named after the files", async () => {
    const fast = save("fast.json", 10);
    expect(await typed("page", fast, "--out", path("page.html"))).toBe(0);
    expect(printed).toBe(`${path("page.html")}\n`);
    expect(readFileSync(path("page.html"), "utf8")).toContain('"fast"');
    await expect(typed("page")).rejects.toThrow("missing required argument 'files'");
    await expect(typed("page", fast, "--out", path("no/such/folder.html"))).rejects.toThrow(/page: ENOENT/);
  });
});

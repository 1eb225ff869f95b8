import { describe, expect, it, vi } from "vitest";
import { commands } from "./commands.ts";
import { type CommandEntry, type Options, runCommand, settingsOf } from "./options.ts";
import { USUAL } from "./settings.ts";

/** What a command is given. */
async function parsed(...args: string[]): Promise<Options> {
  let found: Options | undefined;
  const entries = commands.map(
    (entry): CommandEntry => ({
      ...entry,
      run: async (options) => {
        found = options;
        return 0;
      },
    }),
  );
  await runCommand(entries, args);
  return found!;
}

describe("options", () => {
  it("are read", async () => {
    const options = await parsed("model", "--json", "--peers", "a,b", "--size", "592x704", "--seconds", "3");
    expect(options).toMatchObject({ format: "json", peers: ["a", "b"], size: [592, 704], seconds: 3 });
    expect(options.command).toBe("pnpm bench model --json --peers a,b --size 592x704 --seconds 3");
    const kernels = await parsed(
      "kernels",
      "--shape",
      "8x8x4 -> 4, 1x1",
      "--shape",
      "9x9x4 -> 4, 1x1",
      "--threads",
      "1,2,2",
    );
    expect(kernels).toMatchObject({ shape: ["8x8x4 -> 4, 1x1", "9x9x4 -> 4, 1x1"], threads: [1, 2] });
    expect(settingsOf(kernels)).not.toHaveProperty("command");
    expect(await parsed("compare", "a", "b", "--bound", "5")).toMatchObject({
      operands: ["a", "b"],
      bound: 0.05,
    });
    expect(await parsed("operators", "add", "gelu")).toMatchObject({ operands: ["add", "gelu"] });
    expect(await parsed("model", "--csv")).toMatchObject({ format: "csv" });
  });

  it("are as usual where they are not typed", async () => {
    expect(await parsed("kernels")).toEqual({
      ...USUAL,
      ...{
        format: "table",
        out: undefined,
        resume: false,
        repeat: 1,
        over: 0,
        measure: false,
        bound: undefined,
      },
      ...{ browser: [], nodeA: undefined, nodeB: undefined, flagsA: undefined, flagsB: undefined },
      ...{ behind: [], command: "pnpm bench kernels" },
    });
    expect(settingsOf(await parsed("kernels"))).toEqual(USUAL);
    expect(await parsed("ab", "--", "kernels")).toMatchObject({ repeat: 7, behind: ["kernels"] });
  });

  it.each([
    [
      ["model", "--size", "593"],
      '--size: wants a multiple of 8 from 32 on, or two as in 592x704, but is "593"',
    ],
    [["model", "--size", "0"], '--size: wants a multiple of 8 from 32 on, or two as in 592x704, but is "0"'],
    ...["593x592", "592x593", "24", "24x32", "32x24", "032x", "x32", "64x64x3"].map(
      (size): [string[], string] => [
        ["model", "--size", size],
        `--size: wants a multiple of 8 from 32 on, or two as in 592x704, but is "${size}"`,
      ],
    ),
    [["winograd"], "missing required argument 'folder'"],
    [["model", "--seconds", "0"], '--seconds: wants a number above 0 but is "0"'],
    [["layers", "--threads", "1.5"], '--threads: wants 1 to 64 but is "1.5"'],
    [["model", "--repeat", "0"], '--repeat: wants 1 to 1000 but is "0"'],
    [["model", "--json", "--csv"], "--json and --csv: wants one of them"],
    [["model", "--resume"], "--resume: wants --out"],
    [["model", "--bogus"], "unknown option '--bogus'"],
    [["modle"], "unknown command 'modle'"],
    [["model", "extra"], "too many arguments"],
    // What does not apply was once ignored.
    [["model", "--shapes", "awkward"], "unknown option '--shapes'"],
    [["compare", "a", "b", "--quick"], "unknown option '--quick'"],
    [["report", "--measure", "--quick"], "unknown option '--quick'"],
    [["lab", "--threads", "2"], "unknown option '--threads'"],
  ])("%j is refused in one line", async (args, message) => {
    const error = await parsed(...args).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "UsageError", message: expect.not.stringContaining("\n") });
    expect((error as Error).message.slice(0, message.length)).toBe(message);
  });
});

describe("help", () => {
  it.each(commands)("of $name says what it takes, in 100 columns", async (command) => {
    const { name, about, operands = "", behind } = command;
    const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    const code = await runCommand(commands, [name, "--help"]);
    const text = write.mock.calls.map(([chunk]) => String(chunk)).join("");
    write.mockRestore();
    expect(code).toBe(0);
    expect(text).toContain(`Usage: pnpm bench ${name}`);
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    const flowing = text.replace(/\s+/g, " ");
    const [operand, ...words] = operands.split(" ");
    for (const each of [about, words.join(" ")]) expect(flowing).toContain(each);
    if (behind !== undefined) expect(flowing).toContain(`[options] ${operand} -- ${behind}`);
    // What is beside every option and operand, and of the command itself.
    expect(text.split("\n")[2]).toMatch(/^[a-z].{14,}/);
    const entries = text.replace(/\n {3,}/g, "   ").match(/^ {2}\S.*$/gm)!;
    for (const entry of entries)
      expect(entry).toMatch(/^ {2}(-\S*, )?[-\w[\]<>.,|%| ]*?(<\S+>)? {2,}\S.{5,}/);
  });
});

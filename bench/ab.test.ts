import { expect, test } from "vitest";
import { commands } from "./commands.ts";
import { runCommand } from "./options.ts";

test.each([
  [["HEAD"], "ab: wants a bench behind --"],
  [["--", "kernels"], "ab: wants a revision or two, or --node-b, or --flags-b"],
  [["a", "b", "c", "--", "kernels"], "ab: wants two revisions at most"],
  [["no-such-revision", "--", "kernels"], 'ab: there is no revision "no-such-revision"'],
  [["--node-b", "no-such-node", "--", "kernels"], 'ab: no Node "no-such-node"'],
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
    "machine: wants nothing behind --",
  );
});

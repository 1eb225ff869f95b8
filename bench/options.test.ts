import { expect, test } from "vitest";
import { parseOptions } from "./options.ts";

test("options", () => {
  const options = parseOptions("model", ["--json", "--peers", "a,b", "--size", "592x704", "--seconds", "3"]);
  expect(options).toMatchObject({ format: "json", peers: ["a", "b"], size: [592, 704], seconds: 3 });
  expect(options.command).toBe("pnpm bench model --json --peers a,b --size 592x704 --seconds 3");
});

test.each([
  [["--size", "593"], '--size: wants a multiple of 8, or two as in 592x704, but is "593"'],
  [["--size", "0"], '--size: wants a multiple of 8, or two as in 592x704, but is "0"'],
  [["--seconds", "0"], '--seconds: wants a number above 0 but is "0"'],
  [["--threads", "1.5"], '--threads: wants 1 to 64 but is "1.5"'],
  [["--json", "--csv"], "--json and --csv: wants one of them"],
  [["--bogus"], "Unknown option '--bogus'"],
])("%j is refused in one line", (args, message) => {
  expect(() => parseOptions("model", args)).toThrow(message);
});

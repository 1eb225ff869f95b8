import { expect, it } from "vitest";
import { systemReason } from "./errors.ts";

const errorOf = (code: string) => Object.assign(new Error(`${code}: as Node says it`), { code });

it("what the system reports is said in words, each in its own", () => {
  const codes = ["EACCES", "EDQUOT", "EEXIST", "EFBIG", "EIO", "EISDIR", "EMFILE", "ENAMETOOLONG", "ENODEV"];
  codes.push("ENOENT", "ENOSPC", "ENOTDIR", "EPERM", "EROFS", "ESTALE", "ETIMEDOUT");
  const reasons = codes.map((code) => systemReason(errorOf(code)));
  for (const reason of reasons) expect(reason).toMatch(/^[a-z].*[a-z]$/);
  expect(new Set(reasons).size).toBe(codes.length);
  for (const [one, same] of [
    ["EMFILE", "ENFILE"],
    ["ENODEV", "ENXIO"],
  ])
    expect(systemReason(errorOf(one))).toBe(systemReason(errorOf(same)));
  expect(systemReason(errorOf("EOTHER"))).toBe("EOTHER: as Node says it");
});

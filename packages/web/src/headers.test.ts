import { expect, it } from "vitest";
import { HEADERS, POLICY } from "./headers.ts";

it("loads from and sends to its own origin alone, by a policy that leaves nothing to defaults that allow it", () => {
  const policy = new Map(POLICY.split("; ").map((line) => [line.split(" ")[0], line.split(" ").slice(1)]));
  // These do not fall back on default-src.
  for (const name of ["base-uri", "form-action"]) expect(policy.get(name)).toEqual(["'none'"]);
  expect(policy.get("default-src")).toEqual(["'none'"]);
  const own = ["'none'", "'self'", "'wasm-unsafe-eval'", "blob:", "data:"];
  for (const [name, sources] of policy) for (const source of sources) expect(own, name).toContain(source);
  expect(policy.get("script-src")).toEqual(["'self'", "'wasm-unsafe-eval'"]);
  expect(HEADERS["Content-Security-Policy"]).toBe(POLICY);
  // What SharedArrayBuffer wants.
  expect(HEADERS).toMatchObject({
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
  });
});

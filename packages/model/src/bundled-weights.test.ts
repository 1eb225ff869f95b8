import { afterEach, expect, it, vi } from "vitest";

afterEach(() => {
  vi.doUnmock("node:fs/promises");
  vi.unstubAllGlobals();
});

const SAID = /^loadSegmenter: the weights are not beside this code.*"@saunet\/model\/weights"/;

it("without its file of weights, a bundle for Node says where they are", async () => {
  const missing = Object.assign(new Error("ENOENT: no such file"), { code: "ENOENT" });
  vi.doMock("node:fs/promises", () => ({ open: undefined, readFile: () => Promise.reject(missing) }));
  const { readBundledWeights } = await import("./host/node.ts");
  const error = await readBundledWeights().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ message: expect.stringMatching(SAID), cause: missing });
});

it("without its file of weights, a bundle for browsers says where they are", async () => {
  vi.stubGlobal("fetch", async () => new Response("", { status: 404, statusText: "Not Found" }));
  const { readBundledWeights } = await import("./host/web.ts");
  await expect(readBundledWeights()).rejects.toThrow(SAID);
});

import { fileURLToPath } from "node:url";
import { build } from "vite";
import { afterEach, expect, it, vi } from "vitest";
import { readWeights } from "./weights.ts";

afterEach(() => {
  vi.doUnmock("node:fs/promises");
  vi.resetModules();
});

const SAID = /^loadSegmenter: the weights are not beside this code.*"@saunet\/model\/weights"/;

it("without its file of weights, a bundle for Node says where they are", async () => {
  const missing = Object.assign(new Error("ENOENT: no such file"), { code: "ENOENT" });
  vi.doMock("node:fs/promises", () => ({ open: undefined, readFile: () => Promise.reject(missing) }));
  const { readBundledWeights } = await import("./host/node.ts");
  const error = await readBundledWeights().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ message: expect.stringMatching(SAID), cause: missing });
});

it("browsers load the module of the weights, which differs from the file by the rounding to 16 bits alone", async () => {
  const bytes = await (await import("./host/web.ts")).readBundledWeights();
  const { config, parameters } = readWeights(bytes);
  const exact = readWeights(await (await import("./host/node.ts")).readBundledWeights());
  expect(config).toEqual(exact.config);
  expect(bytes.length).toBeLessThan(6e5);
  for (const [path, { data }] of Object.entries(parameters)) {
    const wanted = exact.parameters[path].data;
    // Half of the last of 11 binary digits; below 2^-14 digits are lost.
    const isRounded = (value: number, i: number) =>
      Math.abs(value - wanted[i]) <= Math.max(2 ** -25, Math.abs(wanted[i]) * 2 ** -11);
    expect(data.every(isRounded), path).toBe(true);
  }
});

it("a bundle for browsers carries the module, and not the exact file beside it", async () => {
  const source = `import { loadSegmenter } from ${JSON.stringify(fileURLToPath(new URL("./index.ts", import.meta.url)))};
    globalThis.segmenter = loadSegmenter();`;
  const built = await build({
    configFile: false,
    logLevel: "error",
    resolve: { conditions: ["@saunet/source", "module", "browser"] },
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === "entry" ? id : null),
        load: (id) => (id === "entry" ? source : null),
      },
    ],
    build: { write: false, minify: false, target: "es2022", rolldownOptions: { input: "entry" } },
  });
  const { output } = built as Extract<typeof built, { output: unknown }>;
  expect(output.filter(({ type }) => type === "asset")).toEqual([]);
  const parts = output.map((part) => (part.type === "chunk" ? part.code.length : 0)).sort((a, b) => a - b);
  expect(parts.length).toBe(2);
  expect(parts[1]).toBeGreaterThan(6e5);
});

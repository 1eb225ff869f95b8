import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// Tests read the packages' sources through the private "@saunet/source" export condition: no build is needed.
// Four kinds of tests run by scripts of their own: those that start so many processes that they take half a minute and more
// (*.slow.test.ts, `npm run check:slow`), those on real photographs (*.photos.test.ts, `npm run check:photos`), those in a real
// browser (*.browser.test.ts, `npm run check:browser`), and those of the queue that take minutes (*.screening.test.ts,
// `npm run check:screening`).
const only = process.env.SAUNET_TESTS;
const folders = ["packages/*/src", "bench", "examples", "scripts"];
const special = ["slow", "photos", "browser", "screening"].map((kind) => `**/*.${kind}.test.ts`);

export default defineConfig({
  resolve: { conditions: ["@saunet/source"] },
  ssr: { resolve: { conditions: ["@saunet/source", "node"] } },
  test: {
    include: folders.map((folder) => `${folder}/**/*.${only === undefined ? "" : `${only}.`}test.ts`),
    exclude: ["**/node_modules/**", "**/dist/**", ...(only === undefined ? special : [])],
    setupFiles: [fileURLToPath(new URL("scripts/test-setup.ts", import.meta.url))],
    globalSetup: only === "browser" ? ["packages/web/src/testing-build.ts"] : [],
    maxWorkers: 2,
    // Tests and hooks start threads, bundlers and browsers, on machines that may be busy: no test has a shorter limit of its own,
    // and what is waited for is polled (`expect.poll`), since `vi.waitFor` gives up after a second.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 120_000 } },
  },
});

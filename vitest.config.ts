import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// Tests read the packages' sources through the private "@saunet/source" export condition: no build is needed.
// Four kinds of tests run by scripts of their own: those that take long for what they say, most since they start many processes
// (*.slow.test.ts, `npm run check:slow`), those on real photographs (*.photos.test.ts, `npm run check:photos`), those in a real
// browser (*.browser.test.ts, `npm run check:browser`), and those of the queue that take minutes (*.screening.test.ts,
// `npm run check:screening`).
const only = process.env.SAUNET_TESTS;
const root = fileURLToPath(new URL(".", import.meta.url));
const special = ["slow", "photos", "browser", "screening"].map((kind) => `**/*.${kind}.test.ts`);
const include = ["packages/*/src", "bench", "examples", "scripts"].map(
  (folder) => `${folder}/**/*.${only === undefined ? "" : `${only}.`}test.ts`,
);
const exclude = ["**/node_modules/**", "**/dist/**"];

// Files of tests share two processes, one after the other, so that the packages are loaded twice and not once a file, which took a
// sixth of all time (369 s, 310 now). A process of its own has each file that replaces modules, which would be replaced for the
// files after it too, and each that asks for all kernels, which would be told those of the files before it. So has every file
// where SAUNET_ALONE is set.
const needsOwnProcess = /\bvi\.(mock|doMock|resetModules)\(|\bkernelNames\(/;
const alone = ["packages", "bench", "examples", "scripts"]
  .flatMap((folder) =>
    readdirSync(`${root}${folder}`, { recursive: true, encoding: "utf8" }).map((path) => `${folder}/${path}`),
  )
  .filter((path) => /^(?!.*\b(node_modules|dist)\/).*\.test\.ts$/.test(path.replaceAll("\\", "/")))
  .filter((path) => needsOwnProcess.test(readFileSync(root + path, "utf8")));

export default defineConfig({
  resolve: { conditions: ["@saunet/source"] },
  ssr: { resolve: { conditions: ["@saunet/source", "node"] } },
  test: {
    setupFiles: [fileURLToPath(new URL("scripts/test-setup.ts", import.meta.url))],
    globalSetup: only === "browser" ? ["packages/web/src/testing-build.ts"] : [],
    maxWorkers: 2,
    // Tests and hooks start threads, bundlers and browsers, on machines that may be busy: no test has a shorter limit of its own,
    // and what is waited for is polled (`expect.poll`), since `vi.waitFor` gives up after a second.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 120_000 } },
    ...(only === undefined && process.env.SAUNET_ALONE === undefined
      ? {
          projects: [
            {
              extends: true,
              test: {
                name: "together",
                isolate: false,
                include,
                exclude: [...exclude, ...special, ...alone],
              },
            },
            { extends: true, test: { name: "alone", include: alone, exclude: [...exclude, ...special] } },
          ],
        }
      : { include, exclude: [...exclude, ...(only === undefined ? special : [])] }),
  },
});

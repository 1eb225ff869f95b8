// Measures the page in Chromium against Node in one run, by turns: `node scripts/measure-page.mjs`. Prints what a first
// visit loads, how soon it is ready, a photograph of 592 x 592, a training step, and the longest task of the page's
// own thread meanwhile.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, install, root, run } from "./workspace.mjs";

const ROUNDS = 15;
const STEPS_A_ROUND = 5;
const TRAINING_ROUNDS = 6;

install();
build();
const { launchChromium } = await import("./chromium.mjs");
const packageOf = (name) => import(join(root, "packages", name, "dist/index.js"));
const [core, wasm, data, model] = await Promise.all(["core", "wasm", "data", "model"].map(packageOf));
const { preview } = await import("vite");

const web = join(root, "packages/web");
const folder = mkdtempSync(join(tmpdir(), "saunet-page-"));
const built = run(
  join(web, "node_modules/.bin/vite"),
  ["build", "--logLevel", "error", "--outDir", folder, "--emptyOutDir"],
  {
    cwd: web,
  },
);
if (built !== 0) process.exit(built);
const server = await preview({
  root: web,
  logLevel: "silent",
  build: { outDir: folder },
  preview: { port: 0 },
});
const address = server.resolvedUrls.local[0];
const browser = await launchChromium();

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const milliseconds = (value) => `${value.toFixed(value < 100 ? 1 : 0)} ms`;

async function openPage() {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.addInitScript(() => {
    globalThis.longest = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries())
        globalThis.longest = Math.max(globalThis.longest, duration);
    }).observe({ type: "longtask" });
  });
  return page;
}

/** What a first visit fetches before it is ready, compressed as a host would. */
async function measureLoad() {
  const files = new Set();
  const times = [];
  for (let i = 0; i < 5; i++) {
    const page = await openPage();
    page.context().on("request", (request) => {
      const url = request.url();
      // What the service worker fetches for later visits is not waited for.
      if (url.startsWith(address) && request.serviceWorker() === null) files.add(url.slice(address.length));
    });
    await page.goto(address);
    const ready = () => performance.getEntriesByName("saunet-ready")[0]?.startTime;
    times.push(await (await page.waitForFunction(ready)).jsonValue());
    await page.context().close();
  }
  const names = [...files].map((name) => name || "index.html");
  const compressed = names.reduce(
    (sum, name) => sum + gzipSync(readFileSync(join(folder, name)), { level: 9 }).length,
    0,
  );
  console.log(`first load: ${(compressed / 1e6).toFixed(3)} MB compressed (${names.length} files)`);
  console.log(
    `ready: ${milliseconds(median(times))} after the address was entered (median of ${times.length})`,
  );
}

/** Segments the synthetic photograph again and again in the page's own worker, and in Node. */
async function measureSegmentation() {
  const page = await openPage();
  await page.goto(address);
  await page.getByRole("button", { name: "synthetic.png, segmented" }).waitFor();
  const script = await page.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .map(({ name }) => name)
      .find((name) => name.includes("segment.worker")),
  );
  await page.evaluate(async (url) => {
    const worker = new Worker(url, { type: "module" });
    let id = 0;
    const call = (path, argumentList = []) =>
      new Promise((resolve) => {
        worker.onmessage = ({ data }) => resolve(data.value);
        worker.postMessage({ id: `${id++}`, type: "APPLY", path: [path], argumentList });
      });
    const { photograph } = await call("example");
    globalThis.once = async () => {
      await call("read", [{ type: "RAW", value: photograph }]);
      return (await call("segment")).seconds * 1000;
    };
  }, script);
  const { image } = data.syntheticFundus({ seed: 1 });
  const segmenter = await model.loadSegmenter();
  const inNode = async () => {
    const start = performance.now();
    await segmenter.segment(image);
    return performance.now() - start;
  };
  const times = { browser: [], node: [] };
  for (let i = 0; i < ROUNDS + 3; i++) {
    const pair = [await page.evaluate(() => globalThis.once()), await inNode()];
    if (i < 3) continue;
    times.browser.push(pair[0]);
    times.node.push(pair[1]);
  }
  tell("592 x 592", times);
  await page.evaluate(() => {
    globalThis.longest = 0;
  });
  for (let i = 2; i < 5; i++) {
    await page.getByRole("button", { name: "Synthetic example" }).click();
    await page
      .getByRole("button", { name: "synthetic.png, segmented" })
      .nth(i - 1)
      .waitFor();
  }
  await tellLongest(page, "segmenting");
}

/** The page trains for a few steps, pauses, and Node does as many, by turns. */
async function measureTraining() {
  const page = await openPage();
  await page.goto(`${address}#train`);
  const stepOf = () => page.getByTestId("step").textContent().then(Number);
  const until = async (step) => {
    const seen = new Map();
    for (let now = await stepOf(); now < step; now = await stepOf()) {
      seen.set(now, Number.parseFloat(await page.getByTestId("step-time").textContent()));
      await page.waitForTimeout(5);
    }
    return [...seen.values()].filter((value) => !Number.isNaN(value));
  };
  await page.getByRole("button", { name: "Train", exact: true }).click();
  await until(STEPS_A_ROUND);
  const { adam, randomState, zeros, Tensor, uniform } = core;
  const parameters = model.initialize(model.saUNetV2, randomState(1));
  const x = uniform([4, 128, 128, 3], randomState(2));
  const target = new Tensor(
    Float32Array.from(zeros([4, 128, 128, 1]).data, (_, i) => (i % 9 === 0 ? 1 : 0)),
    [4, 128, 128, 1],
  );
  const run = {
    config: model.saUNetV2,
    parameters,
    optimizer: adam(parameters),
    loss: model.paperLoss(),
    random: randomState(3),
  };
  const program = model.captureTrainStep(run, { x, target });
  await program.run([x, target]);
  const times = { browser: [], node: [] };
  for (let round = 0; round < TRAINING_ROUNDS; round++) {
    times.browser.push(...(await until((await stepOf()) + STEPS_A_ROUND)));
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Resume" }).waitFor();
    for (let i = 0; i < STEPS_A_ROUND; i++) {
      const start = performance.now();
      await program.run([x, target]);
      times.node.push(performance.now() - start);
    }
    await page.getByRole("button", { name: "Resume" }).click();
  }
  tell("training step, 4 x 128 x 128", times);
  await tellLongest(page, "training");
}

function tell(what, times) {
  const [there, here] = [median(times.browser), median(times.node)];
  console.log(
    `${what}: Chromium ${milliseconds(there)}, Node ${milliseconds(here)}, ratio ${(there / here).toFixed(2)}`,
  );
}

async function tellLongest(page, what) {
  const longest = await page.evaluate(() => globalThis.longest);
  const text = longest === 0 ? "none of 50 ms or more" : milliseconds(longest);
  console.log(`longest task of the page's own thread while ${what}: ${text}`);
  await page.context().close();
}

const { threads } = await wasm.accelerate();
console.log(`Chromium ${browser.version()}, Node ${process.version}, ${threads} threads`);
try {
  await measureLoad();
  await measureSegmentation();
  await measureTraining();
} finally {
  await browser.close();
  await server.close();
  wasm.restore();
  rmSync(folder, { recursive: true, force: true });
}

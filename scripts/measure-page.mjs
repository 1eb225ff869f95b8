// Measures the page in Chromium against Node in one run, by turns: `node scripts/measure-page.mjs`. Prints what a first
// visit loads, how soon it is ready, a photograph of 592 x 592, a training step, and the longest task of the page's
// own thread meanwhile; or only some of it: `… measure-page.mjs load segment inside train`. The page is watched from
// inside it: asking it again and again from outside takes a third of a core from what is measured.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { gzipSync } from "node:zlib";
import { build, install, root, run } from "./workspace.mjs";

const chosen = process.argv.slice(2);
const ROUNDS = 15;
const STEPS_A_ROUND = 16;
const TRAINING_ROUNDS = 5;

install();
build();
const { launchChromium } = await import("./chromium.mjs");
const packageOf = (name) => import(join(root, "packages", name, "dist/index.js"));
const [core, wasm, data, model] = await Promise.all(["core", "wasm", "data", "model"].map(packageOf));
const { build: bundle, preview } = await import("vite");

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
      // What comes before is the browser's own: nothing of the page has run.
      const [{ domInteractive }] = performance.getEntriesByType("navigation");
      for (const { startTime, duration } of list.getEntries())
        if (domInteractive > 0 && startTime >= domInteractive)
          globalThis.longest = Math.max(globalThis.longest, duration);
    }).observe({ type: "longtask" });
  });
  return page;
}

/** What a first visit fetches before it is ready, compressed as a host would. */
async function measureLoad() {
  const files = new Set();
  const times = [];
  const longest = [];
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
    longest.push(await page.evaluate(() => globalThis.longest));
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
  tellLongest("loading", Math.max(...longest));
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
  await forgetLongest(page);
  for (let i = 2; i < 5; i++) {
    await page.getByRole("button", { name: "Synthetic example" }).click();
    await page.getByRole("button", { name: `synthetic (${i}).png, segmented` }).waitFor();
  }
  tellLongest("segmenting", await page.evaluate(() => globalThis.longest));
  await page.context().close();
}

/** Opens the second tab, and then one layer after the other. */
async function measureInside() {
  const page = await openPage();
  await page.goto(address);
  await page.getByRole("button", { name: "synthetic.png, segmented" }).waitFor();
  await forgetLongest(page);
  await page.evaluate(() => {
    location.hash = "#inside";
  });
  await page.waitForFunction(() => document.querySelector(".attention"), undefined, { polling: 200 });
  for (const layer of ["Encoder 1, unit 2", "Bottleneck, attention", "Decoder 1, enlarged", "Head"]) {
    await page.evaluate((name) => document.querySelector(`[aria-label^="${name}:"]`).click(), layer);
    await page.waitForTimeout(1000);
  }
  tellLongest("looking inside", await page.evaluate(() => globalThis.longest));
  await page.context().close();
}

/**
 * The page trains for a while, pauses, and Node does as many steps of the same run, by turns. Both have their batches drawn
 * ahead by a thread; the page also draws curves and looks at its held-out photograph.
 */
async function measureTraining() {
  const page = await openPage();
  await page.goto(`${address}#train`);
  const button = (text) =>
    page.waitForFunction(
      (name) =>
        [...document.querySelectorAll("button:enabled")].find((each) => each.textContent.trim() === name),
      text,
      { polling: 100 },
    );
  const press = async (text) => (await button(text)).evaluate((found) => found.click());
  await button("Train");
  await forgetLongest(page);
  await press("Train");
  const node = await trainInNode();
  const times = { browser: [], node: [] };
  const ownTimes = { browser: [], node: [] };
  for (let round = 0; round <= TRAINING_ROUNDS; round++) {
    const seen = await page.evaluate(watchSteps, STEPS_A_ROUND);
    await press("Pause");
    await button("Resume");
    const done = await node.train(STEPS_A_ROUND);
    if (round < TRAINING_ROUNDS) await press("Resume");
    // In the first round both still compile.
    if (round === 0) continue;
    times.browser.push((seen.at(-1).time - seen[0].time) / (seen.at(-1).step - seen[0].step));
    ownTimes.browser.push(...seen.slice(1).map(({ own }) => own));
    times.node.push(done.whole);
    ownTimes.node.push(...done.own);
  }
  await node.stop();
  tell("training, all that a step of 4 x 128 x 128 takes", times);
  tell("training, the step alone", ownTimes);
  tellLongest("training", await page.evaluate(() => globalThis.longest));
  await page.context().close();
}

/** Runs in the page: what it shows of its steps, and when, until so many have been seen. */
function watchSteps(count) {
  const text = (id) => document.querySelector(`[data-testid="${id}"]`).textContent;
  const seen = [];
  return new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      const now = {
        time: performance.now(),
        step: Number(text("step")),
        own: Number.parseFloat(text("step-time")),
      };
      if (now.step === seen.at(-1)?.step) return;
      seen.push(now);
      if (now.step < seen[0].step + count) return;
      observer.disconnect();
      resolve(seen);
    });
    observer.observe(document.querySelector(".facts"), { subtree: true, characterData: true });
  });
}

/** The run of the page, in Node: its own pictures, in a thread of their own. */
async function trainInNode() {
  const own = join(folder, "node");
  await bundle({
    configFile: false,
    logLevel: "error",
    root: join(web, "src/train"),
    ssr: { noExternal: true, resolve: { conditions: ["@saunet/source", "node"] } },
    build: { ssr: true, outDir: own, rolldownOptions: { input: ["batch.ts", "training-pictures.ts"] } },
  });
  const { AHEAD, BATCH, CROP, SEED } = await import(pathToFileURL(join(own, "batch.js")));
  const drawer = new Worker(
    `const { parentPort, workerData } = require("node:worker_threads");
    import(workerData.pictures).then(({ syntheticBatches }) => {
      const next = syntheticBatches(...workerData.plan);
      parentPort.on("message", (step) => parentPort.postMessage(next(step)));
    });`,
    {
      eval: true,
      workerData: {
        pictures: pathToFileURL(join(own, "training-pictures.js")).href,
        plan: [SEED, BATCH, CROP],
      },
    },
  );
  const waiting = [];
  let asked = 0;
  drawer.on("message", (batch) => waiting.shift()(batch));
  const ask = () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      drawer.postMessage(asked++);
    });
  const ahead = Array.from({ length: AHEAD }, ask);
  const { adam, randomState, Tensor } = core;
  const parameters = model.initialize(model.saUNetV2, randomState(SEED));
  let started = 0;
  const events = model.train({
    config: model.saUNetV2,
    parameters,
    optimizer: adam(parameters, { learningRate: 0.002 }),
    loss: model.paperLoss(),
    random: randomState(SEED, 2),
    epochs: 1,
    stepsPerEpoch: Number.MAX_SAFE_INTEGER,
    nextBatch: async () => {
      ahead.push(ask());
      const { x, target } = await ahead.shift();
      started = performance.now();
      return {
        x: new Tensor(x, [BATCH, CROP, CROP, 3]),
        target: new Tensor(target, [BATCH, CROP, CROP, 1]),
      };
    },
  });
  return {
    async train(steps) {
      const own = [];
      const begun = performance.now();
      for (let i = 0; i < steps; i++) {
        await events.next();
        own.push(performance.now() - started);
      }
      return { own, whole: (performance.now() - begun) / steps };
    },
    async stop() {
      await events.return();
      await drawer.terminate();
    },
  };
}

function tell(what, times) {
  const [there, here] = [median(times.browser), median(times.node)];
  console.log(
    `${what}: Chromium ${milliseconds(there)}, Node ${milliseconds(here)}, ratio ${(there / here).toFixed(2)}`,
  );
}

const forgetLongest = (page) =>
  page.evaluate(() => {
    globalThis.longest = 0;
  });

function tellLongest(what, longest) {
  const text = longest === 0 ? "none of 50 ms or more" : milliseconds(longest);
  console.log(`longest task of the page's own thread while ${what}: ${text}`);
}

const parts = {
  load: measureLoad,
  segment: measureSegmentation,
  inside: measureInside,
  train: measureTraining,
};
const { threads } = await wasm.accelerate();
console.log(`Chromium ${browser.version()}, Node ${process.version}, ${threads} threads`);
try {
  for (const part of chosen.length > 0 ? chosen : Object.keys(parts)) await parts[part]();
} finally {
  await browser.close();
  await server.close();
  wasm.restore();
  rmSync(folder, { recursive: true, force: true });
}

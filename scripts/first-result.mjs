// What the first result of a new process takes, and its parts: importing the packages, reading the weights, starting the
// threads, capturing SA-UNetv2 at 592x592, planning and assembling it, its first run, and its second beside that.
//
//   node scripts/first-result.mjs [processes, default 5] [threads, default 2]
//
// Each process is timed from its first own line; Node takes some 40 ms before that. Of each part: the median and the least
// milliseconds, and the least processor time of all threads together.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { build, root } from "./workspace.mjs";

const SIZE = 592;
const CHILD = "--child";

/** Does it once; gives the name of each part, its milliseconds and those of the processor. */
async function measure(threads) {
  const parts = [];
  let [time, used] = [performance.now(), process.cpuUsage()];
  const end = (name) => {
    const { user, system } = process.cpuUsage(used);
    parts.push({ name, ms: performance.now() - time, cpu: (user + system) / 1000 });
    [time, used] = [performance.now(), process.cpuUsage()];
  };
  // As the command does: Node 20 has the fused multiply-add behind a flag.
  if (process.versions.node.startsWith("20.")) setFlagsFromString("--experimental-wasm-relaxed-simd");
  const packageOf = (name) => import(pathToFileURL(join(root, "packages", name, "dist/node/index.js")).href);
  const { accelerate } = await packageOf("wasm");
  const { prepare, zeros } = await packageOf("core");
  const { captureInference, readWeights } = await packageOf("model");
  end("import");
  const network = readWeights(readFileSync(join(root, "packages/model/weights/sa-unet-v2.safetensors")));
  end("weights");
  await accelerate({ threads });
  end("threads");
  const image = zeros([1, SIZE, SIZE, 3]);
  const program = captureInference(network, image);
  end("capture");
  const { runSync } = prepare(program);
  end("prepare");
  runSync([image]);
  end("first run");
  const total = (key) => parts.reduce((sum, part) => sum + part[key], 0);
  parts.push({ name: "all of it", ms: total("ms"), cpu: total("cpu") });
  [time, used] = [performance.now(), process.cpuUsage()];
  runSync([image]);
  end("second run");
  return parts;
}

const [first = "5", threads = "2"] = process.argv.slice(2);
if (first === CHILD) {
  console.log(JSON.stringify(await measure(Number(threads))));
  process.exit();
}
build();
const runs = Array.from({ length: Number(first) }, () => {
  const { stdout } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), CHILD, threads], {
    encoding: "utf8",
  });
  return JSON.parse(stdout);
});
console.log(`${runs.length} processes, ${threads} threads     median    least    processor`);
runs[0].forEach(({ name }, part) => {
  const sorted = (key) => runs.map((parts) => parts[part][key]).sort((a, b) => a - b);
  const [ms, cpu] = [sorted("ms"), sorted("cpu")];
  const figures = [ms[ms.length >> 1], ms[0], cpu[0]].map((value) => value.toFixed(1).padStart(9));
  console.log(`${name.padEnd(20)}${figures.join("")}`);
});

// Random programs of the engine's operators, run in every way and compared: `npm run check:programs`, or
// `npm run check:programs -- --count 50000 --seed 1`. Program n of seed S has the seed S + n, so that one that failed
// is run again with `--seed <its seed> --count 1`.

import { parseArgs } from "node:util";
import { bin, install } from "./workspace.mjs";

const { values } = parseArgs({
  options: { count: { type: "string", default: "50000" }, seed: { type: "string", default: "1" } },
});
const [count, seed] = [values.count, values.seed].map(Number);
if (!Number.isInteger(count) || count < 1 || !Number.isInteger(seed) || seed < 0) {
  console.error(
    `check:programs: --count must be a positive integer and --seed a non-negative one but they are ${values.count} and ${values.seed}`,
  );
  process.exit(2);
}
process.env.SAUNET_PROGRAMS = `${count} ${seed}`;
install();
const test = "packages/wasm/src/random-programs.test.ts";
process.exit(bin("vitest", ["run", test, "--disable-console-intercept"]));

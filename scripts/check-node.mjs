// The tests of the generated kernels in another Node: `npm run check:node`, or `npm run check:node -- 24` for a version
// that is not the latest. npm's package `node` brings it; current ones have relaxed SIMD, which Node 20 keeps back.

import { install, run } from "./workspace.mjs";

const [version = "latest", ...args] = process.argv.slice(2);
install();
const tests = ["node_modules/vitest/vitest.mjs", "run", "packages/wasm", ...args];
process.exit(run("npx", ["--yes", "-p", `node@${version}`, "node", ...tests]));

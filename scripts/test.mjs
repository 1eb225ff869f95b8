// `npm test`: installs what is missing, then runs the tests but for the kinds that vitest.config.ts names. Arguments go to vitest
// (a file name, `--watch` …).

import { bin, install } from "./workspace.mjs";

install();
const args = process.argv.slice(2);
process.exit(bin("vitest", args.includes("--watch") ? args : ["run", ...args]));

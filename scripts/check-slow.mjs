// The tests that take long for what they say, most since they start many processes: the book, the examples and what docstrings print,
// trainings that are killed, disks that fail, the service, the queue. Arguments go to vitest.

import { bin, install } from "./workspace.mjs";

install();
process.env.SAUNET_TESTS = "slow";
process.exit(bin("vitest", ["run", ...process.argv.slice(2)]));

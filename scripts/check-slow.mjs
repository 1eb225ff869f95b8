// The tests that start so many processes that they take half a minute and more: the book and the examples as readers run them,
// trainings that are killed, disks that fail, the service, the queue. Arguments go to vitest.

import { bin, install } from "./workspace.mjs";

install();
process.env.SAUNET_TESTS = "slow";
process.exit(bin("vitest", ["run", ...process.argv.slice(2)]));

// The queue under large disasters: 2,000 photographs, four workers, kills, stops, restarts of Redis, a full disk. Minutes.
// It installs Debian's Redis where there is none and apt-get can.

import { installRedis } from "./redis.mjs";
import { bin, build, install } from "./workspace.mjs";

if (!installRedis()) {
  console.error("check:screening: there is no redis-server and none could be installed");
  process.exit(2);
}
process.env.SAUNET_TESTS = "screening";
install();
build();
process.exit(bin("vitest", ["run"]));

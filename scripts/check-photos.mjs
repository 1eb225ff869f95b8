// Checks that need real photographs: `SAUNET_PHOTOS=folder npm run check:photos`. The folder holds CHASE_DB1 and HRF;
// ../shared/data is looked at when the variable is not set.

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { bin, build, install, root } from "./workspace.mjs";

const folder = resolve(process.env.SAUNET_PHOTOS ?? join(root, "../shared/data"));
if (!existsSync(join(folder, "CHASE_DB1"))) {
  console.error(`check:photos: ${folder} does not hold CHASE_DB1; name its folder in SAUNET_PHOTOS`);
  process.exit(2);
}
process.env.SAUNET_PHOTOS = folder;
process.env.SAUNET_TESTS = "photos";
install();
build();
process.exit(bin("vitest", ["run"]));

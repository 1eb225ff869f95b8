// A long training run on the page: `npm run check:page-training -- --minutes 60`. Memory must stay as it is, the loss
// must fall, and the checkpoint must go on.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./workspace.mjs";

const { values } = parseArgs({ options: { minutes: { type: "string", default: "60" } } });
const minutes = Number(values.minutes);
if (!(minutes >= 1 && minutes <= 24 * 60)) {
  console.error(`check:page-training: --minutes must be from 1 to 1440 but is ${values.minutes}`);
  process.exit(2);
}
process.env.SAUNET_TRAINING_MINUTES = String(minutes);
const args = [
  join(root, "scripts/check-browser.mjs"),
  "packages/web/src/train/hour.browser.test.ts",
  "--disable-console-intercept",
];
process.exit(spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1);

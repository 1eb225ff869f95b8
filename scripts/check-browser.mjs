// Checks in a real browser (*.browser.test.ts): `npm run check:browser`. Arguments go to vitest. Exit code 2 says that
// there is no browser and none could be installed.

import { bin, build, install } from "./workspace.mjs";

install();
// Imported late: it needs what has just been installed.
const { findOrInstallChromium, NoChromiumError } = await import("./chromium.mjs");
try {
  process.env.SAUNET_CHROMIUM = findOrInstallChromium();
} catch (error) {
  if (!(error instanceof NoChromiumError)) throw error;
  console.error(`check:browser: ${error.message}`);
  process.exit(2);
}
process.env.SAUNET_TESTS = "browser";
build();
process.exit(bin("vitest", ["run", ...process.argv.slice(2)]));

// Checks in real browsers (*.browser.test.ts): `npm run check:browser`. Arguments go to vitest. Exit code 2 says that
// Chromium is missing and cannot be installed.

import { bin, build, install } from "./workspace.mjs";

install();
// Imported late: they need what has just been installed.
const [{ NoBrowserError }, { findOrInstallChromium }, { findOrInstallFirefox }] = await Promise.all([
  import("./browsers.mjs"),
  import("./chromium.mjs"),
  import("./firefox.mjs"),
]);
try {
  process.env.SAUNET_CHROMIUM = findOrInstallChromium();
} catch (error) {
  if (!(error instanceof NoBrowserError)) throw error;
  console.error(`check:browser: ${error.message}`);
  process.exit(2);
}
try {
  process.env.SAUNET_FIREFOX = findOrInstallFirefox();
} catch (error) {
  if (!(error instanceof NoBrowserError)) throw error;
  console.error(`check:browser: FIREFOX IS NOT CHECKED: ${error.message}`);
  process.env.SAUNET_FIREFOX = "none";
}
process.env.SAUNET_TESTS = "browser";
build();
process.exit(bin("vitest", ["run", ...process.argv.slice(2)]));

// The page. `npm run web` builds it and serves it on this machine, `npm run web -- --port 8080` elsewhere on it;
// `npm run web:build` leaves the static folder for a host of your own.

import { join } from "node:path";
import { install, root, run } from "./workspace.mjs";

const cwd = join(root, "packages/web");
const vite = (args) => run(join(cwd, "node_modules/.bin/vite"), args, { cwd });

install();
const [mode, ...args] = process.argv.slice(2);
const built = vite(["build", "--logLevel", "warn"]);
if (built !== 0) process.exit(built);
if (mode === "build") {
  console.log("The page is in packages/web/dist: static files, to be served from any path.");
  process.exit(0);
}
// Ctrl-C ends the server, and then this.
process.on("SIGINT", () => {});
console.log("saunet in the browser; Ctrl-C ends it");
process.exit(vite(["preview", ...args]));

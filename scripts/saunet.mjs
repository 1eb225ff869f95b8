// The command, from a checkout: `npm run -s saunet -- segment photo.jpg -o out`.

import { join } from "node:path";
import { build, install, root, run } from "./workspace.mjs";

// Ctrl-C reaches the command too, which then saves its work; this process waits for it.
process.on("SIGINT", () => {});

install();
build();
// npm runs scripts in the checkout; paths on the command line mean the folder the user stands in.
const cwd = process.env.INIT_CWD ?? process.cwd();
process.exit(
  run(process.execPath, [join(root, "packages/cli/dist/main.js"), ...process.argv.slice(2)], { cwd }),
);

// The command, from a checkout: `npm run -s saunet -- segment photo.jpg -o out`.

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, install, root } from "./workspace.mjs";

install();
build();
// npm runs scripts in the checkout; paths on the command line mean the folder the user stands in.
process.chdir(process.env.INIT_CWD ?? process.cwd());
// In this process, not in a child: a signal to it is a signal to the command, and its exit code is the command's.
await import(pathToFileURL(join(root, "packages/cli/dist/main.js")).href);

// Runs modules of TypeScript on the packages' sources, in plain Node, without a build: by Vite, as the tests do.

import { join } from "node:path";
import { createServer } from "vite";
import { root } from "../workspace.mjs";

const conditions = ["@saunet/source", "node"];
const packages = [/^@saunet\//];

/** What loads modules; all that it loads share their state. Whoever opens it closes it. */
export async function openBook() {
  const server = await createServer({
    root,
    configFile: false,
    logLevel: "error",
    appType: "custom",
    server: { middlewareMode: true, ws: false, watch: null },
    optimizeDeps: { noDiscovery: true },
    resolve: { conditions },
    ssr: { resolve: { conditions }, noExternal: packages },
  });
  return {
    /** @param {string} path from the root of the repository */
    load: (path) => server.ssrLoadModule(join(root, path)),
    close: () => server.close(),
  };
}

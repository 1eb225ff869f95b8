// For the tests in a browser: builds the page once for all of them (vitest's global setup).

import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** The folder of the page as it ships; not to be changed. */
    readonly builtPage: string;
  }
}

/** Builds the page into a folder of its own, which is removed after the last test. */
export default async function buildPage({ provide }: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "saunet-web-"));
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const args = ["build", "--logLevel", "error", "--outDir", folder, "--emptyOutDir"];
  // A process of its own: within a test's it would not be the build that ships.
  const env = { ...process.env, NODE_ENV: "production" };
  await promisify(execFile)(join(cwd, "node_modules/.bin/vite"), args, { cwd, env });
  provide("builtPage", folder);
  return () => rm(folder, { recursive: true, force: true });
}

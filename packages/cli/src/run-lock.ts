// One process a run folder. The lock is the system's own, on an open file: it ends with the process, however that ends, so
// there is none that is left behind.

import { open } from "node:fs/promises";
import { join } from "node:path";
import { explain, WorkError } from "./errors.ts";
import { withFile } from "./files.ts";
import { complain, type Host } from "./output.ts";

/** The file that is locked. It stays: whoever removed it could lock another one than whoever holds it open. */
const LOCK = ".lock";

/**
 * Locks a run folder. Where the system has no locks (some network drives, a platform without a binary of
 * fs-native-extensions) it says so and goes on.
 *
 * @returns gives the lock back
 * @throws WorkError where another process holds it
 */
export async function lockRun(host: Host, folder: string): Promise<() => Promise<void>> {
  const name = join(folder, LOCK);
  const file = await withFile(host, name, (path) => open(path, "a+"));
  try {
    if (!(await isGranted(host, folder, file.fd))) {
      const holder = await file.readFile("utf8").catch(() => "");
      const who = /^\d+$/.test(holder) ? `process ${holder}` : "another process";
      throw new WorkError(`${folder}: ${who} is working in it; one at a time can`);
    }
    // For whoever comes next. On Windows nobody else can read it while it is locked.
    await file.truncate(0);
    await file.appendFile(String(process.pid));
  } catch (error) {
    await file.close();
    throw error;
  }
  return () => file.close();
}

async function isGranted(host: Host, folder: string, fd: number): Promise<boolean> {
  try {
    const { tryLock } = await import("fs-native-extensions");
    return tryLock(fd);
  } catch (error) {
    const reason = error instanceof Error ? error.message : explain(error);
    complain(host, `${folder}: cannot be locked, so take care that one process works in it: ${reason}`);
    return true;
  }
}

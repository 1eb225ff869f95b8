// A Redis of a test's own: on a free port, in a folder that goes with it.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { Redis } from "ioredis";

/** Whether there is a Redis to be started here; says so once where there is none. */
export const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;
if (!hasRedis)
  console.warn(
    "left out: tests of the queue, which need redis-server (Debian: apt-get install redis-server)",
  );

export interface OwnRedis {
  readonly url: string;
  readonly port: number;
  /** Ends it, and starts it again with what it has on disk. */
  restart(signal: "SIGTERM" | "SIGKILL", awayMs?: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startRedis(
  folder: string,
  { password, more = [] }: { password?: string; more?: readonly string[] } = {},
): Promise<OwnRedis> {
  const port = await freePort();
  const argv = [
    ...["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""],
    ...["--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"],
    ...(password === undefined ? [] : ["--requirepass", password]),
    ...more,
  ];
  let child: ChildProcess;
  const start = async () => {
    child = spawn("redis-server", argv, { stdio: "ignore" });
    const redis = new Redis({ port, ...(password && { password }), maxRetriesPerRequest: null });
    redis.on("error", () => {});
    await redis.ping();
    redis.disconnect();
  };
  const end = async (signal: "SIGTERM" | "SIGKILL") => {
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  };
  await start();
  return {
    port,
    url: `redis://${password === undefined ? "" : `:${password}@`}127.0.0.1:${port}`,
    async restart(signal, awayMs = 0) {
      await end(signal);
      await new Promise((resolve) => setTimeout(resolve, awayMs));
      await start();
    },
    stop: () => end("SIGKILL"),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}

// saunet serve: starts the HTTP service, and ends it in good order.

import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { complain, type Host, openNetwork, painterOf, untilAsked, WorkError } from "saunet/internal";
import { startComputer } from "./computer.ts";
import { createService } from "./service/service.ts";

/** Options of `saunet serve`. */
export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly tokenFile?: string;
  readonly maxBytes: number;
  readonly seconds: number;
  readonly waiting: number;
  readonly maxPixels: number;
  readonly weights?: string;
  readonly threads?: number;
}

/** Whoever is on this machine alone can reach these. */
const LOOPBACK = /^(localhost|127(\.\d+){3}|::1)$/;

/** Serves until the command is asked to end. */
export async function serve(options: ServeOptions, version: string, host: Host): Promise<number> {
  const network = await openNetwork(host, options.weights);
  const token = await tokenOf(options, host);
  if (token === undefined && !LOOPBACK.test(options.host)) {
    complain(
      host,
      `anyone who can reach ${options.host} can use this service: it has no token (--token-file)`,
    );
  }
  const computer = startComputer({
    threads: options.threads,
    onTrouble: (line) => complain(host, line),
  });
  try {
    const service = await createService({
      computer,
      served: {
        name: network.config.name,
        weights: options.weights === undefined ? {} : { file: resolve(host.cwd, options.weights) },
        kinds: painterOf(network).kinds,
        classes: network.config.classes,
      },
      limits: options,
      version,
      token,
      log: host.stdout,
    });
    await untilAsked(host, async (signal) => {
      await listen(service.app, options);
      if (!signal.aborted) await new Promise((end) => signal.addEventListener("abort", end, { once: true }));
      service.app.log.info("ending: what was asked for is answered, nothing more is taken");
      await service.drain();
      await service.close();
    });
    return 0;
  } finally {
    computer.close();
  }
}

type Listening = Awaited<ReturnType<typeof createService>>["app"];

async function listen(app: Listening, { host, port }: ServeOptions): Promise<void> {
  try {
    await app.listen({ host, port, listenTextResolver: (address) => `listening on ${address}` });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reasons: Record<string, string> = {
      EADDRINUSE: "something else listens there already",
      EACCES: "permission denied",
      EADDRNOTAVAIL: "this machine has no such address",
      ENOTFOUND: "there is no such address",
    };
    throw new WorkError(`cannot listen on ${host}, port ${port}: ${reasons[code ?? ""] ?? message}`, {
      cause: error,
    });
  }
}

/** Shorter ones can be guessed. */
const SHORTEST_TOKEN = 16;

async function tokenOf({ tokenFile }: ServeOptions, host: Host): Promise<string | undefined> {
  const named = tokenFile === undefined ? process.env.SAUNET_TOKEN : await readToken(tokenFile, host);
  if (named === undefined) return undefined;
  const token = named.trim();
  if (!/^[\x21-\x7e]+$/.test(token) || token.length < SHORTEST_TOKEN) {
    throw new WorkError(
      `${tokenFile ?? "SAUNET_TOKEN"}: a token must have at least ${SHORTEST_TOKEN} characters of ASCII without spaces`,
    );
  }
  return token;
}

async function readToken(file: string, host: Host): Promise<string> {
  try {
    return await readFile(resolve(host.cwd, file), "utf8");
  } catch (error) {
    throw new WorkError(`${file}: the token cannot be read`, { cause: error });
  }
}

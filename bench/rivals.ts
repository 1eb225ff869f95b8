// Who else makes the call of a part: libraries, and ours with other algorithms and threads, each in a process of its own.

import type { HostName } from "./contenders/host.ts";
import { installPeers } from "./contenders/install.ts";
import { ContenderProcess, type ConvolutionFiles } from "./contenders/process.ts";
import {
  ALGORITHMS,
  type ConvolutionContender,
  convolutionContenders,
  nameOfAlgorithm,
} from "./convolutions/contenders.ts";
import { KERNELS, type KernelName } from "./convolutions/convolution.ts";
import { exchanged } from "./convolutions/layouts.ts";
import { withOperands } from "./convolutions/operands.ts";
import type { Acceleration, Part, Rival } from "./parts.ts";
import { failed } from "./race.ts";
import type { Settings } from "./settings.ts";
import { oneOf } from "./usage.ts";

/** The libraries, for the help and for what is refused. */
export const PEERS = convolutionContenders
  .map(({ name }) => name)
  .filter((name) => !name.startsWith("accelerated"));

/** Those that take part in a run, with their processes. */
export interface Rivals {
  /** Those that can make a part's call. */
  readonly of: (part: Part) => readonly Rival[];
  readonly end: () => void;
}

/** Chooses by the user's peers, algorithms and threads. */
export function openRivals(settings: Settings, { threads: own, code }: Acceleration): Rivals {
  for (const peer of settings.peers ?? []) oneOf("peer for kernels", peer, PEERS);
  for (const algorithm of settings.algorithms ?? []) oneOf("algorithm", algorithm, ALGORITHMS);
  const wanted = new Set([
    ...(settings.peers ?? []),
    ...["fastest", ...(settings.algorithms ?? [])].map((algorithm) => nameOfAlgorithm(algorithm as never)),
  ]);
  const chosen = convolutionContenders
    .filter(({ name }) => wanted.has(name))
    .flatMap((contender) =>
      settings.threads
        .filter((threads) => threads <= contender.mostThreads)
        // That one is timed in the measuring process itself.
        .filter((threads) => contender.name !== "accelerated" || threads !== own)
        .map((threads) => ({
          contender,
          threads,
          process: new LazyProcess(settings.timeout, contender.prepare ? "node" : "python"),
        })),
    );
  if (chosen.some(({ contender }) => contender.isPeer)) installPeers();
  return {
    of: (part) =>
      chosen.flatMap(({ contender, threads, process }) => {
        const { spec } = part;
        const kernel = kernelOf(part);
        if (spec === undefined || kernel === undefined || !contender.serves(spec, kernel)) return [];
        return [
          rival(
            part,
            contender,
            threads,
            process,
            contender.name.startsWith("accelerated") ? code : undefined,
          ),
        ];
      }),
    end: () => {
      for (const { process } of chosen) process.end();
    },
  };
}

const kernelOf = ({ kernel: { name } }: Part): KernelName | undefined =>
  KERNELS.find((each) => name.endsWith(`onv2d.${each}`));

function rival(
  part: Part,
  { name, planar, prepare }: ConvolutionContender,
  threads: number,
  process: LazyProcess,
  code: Rival["code"],
): Rival {
  const spec = part.spec!;
  return {
    ...{ name, threads, failed },
    ...(code && { code }),
    load: (calls) => {
      const load = (files?: ConvolutionFiles) =>
        process.started().loadConvolution(name, threads, spec, kernelOf(part)!, calls, files);
      return prepare ? load() : withOperands(spec, load);
    },
    output: async () => {
      const found = await process.started().output();
      if (!planar) return found;
      const channels = spec.O;
      return exchanged(found, spec.N, channels, found.length / spec.N / channels);
    },
    run: (runs) => process.started().run(runs),
  };
}

/** A process that is started when it is first needed, and anew when it was ended. */
class LazyProcess {
  readonly #seconds: number;
  readonly #host: HostName;
  #process: ContenderProcess | undefined;

  constructor(seconds: number, host: HostName) {
    this.#seconds = seconds;
    this.#host = host;
  }

  started(): ContenderProcess {
    if (this.#process === undefined || this.#process.hasEnded)
      this.#process = new ContenderProcess(this.#seconds, this.#host);
    return this.#process;
  }

  end(): void {
    this.#process?.end();
  }
}

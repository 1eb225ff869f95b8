// The worker of the page: it measures, since only there a thread may wait for others.

import { openConvolutions } from "../convolution-session.ts";
import { stopMeasuring, wasStopped } from "../harness.ts";
import { openAttempts } from "../laboratory.ts";
import { measureBandwidth, measurePeak } from "../peak.ts";
import { between, runProbe } from "../probe.ts";
import { withProbe } from "../rows.ts";
import type { Session } from "../session.ts";
import { onSign } from "../watch.ts";
import type { PageAnswer, PageRequest, PageSign, PageStop } from "./protocol.ts";

const send = (message: PageAnswer | PageSign): void => self.postMessage(message);
onSign((doing) => send({ kind: "sign", doing }));

let session: Session | undefined;

async function answer(request: PageRequest): Promise<PageAnswer> {
  if (request.kind === "open") {
    const { bench, specs, settings } = request;
    const [peak, bandwidth] = [measurePeak(), measureBandwidth()];
    session = await (bench === "lab" ? openAttempts(specs, [], settings) : openConvolutions(specs, settings));
    return { kind: "opened", units: session.units, peak, bandwidth, cores: navigator.hardwareConcurrency };
  }
  const before = runProbe();
  const rows = await session!.measure(request.unit, new Set(request.without));
  const probe = between(before, runProbe());
  return { kind: "measured", rows: rows.map((row) => withProbe(row, probe)), stopped: wasStopped() };
}

self.onmessage = async ({ data }: MessageEvent<PageRequest | PageStop>) => {
  if (data.kind === "stop") return stopMeasuring();
  try {
    send(await answer(data));
  } catch (error) {
    send({ kind: "failed", reason: error instanceof Error ? error.message : String(error) });
  }
};

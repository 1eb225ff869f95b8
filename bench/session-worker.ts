// The process that measures: answers the requests of session.ts over Node's channel to its parent.

import { stopMeasuring, wasStopped } from "./harness.ts";
import { machineRecord } from "./machine.ts";
import { tellParent } from "./parent.ts";
import { between, runProbe } from "./probe.ts";
import { allowRelaxedSimd } from "./relaxed.ts";
import { withProbe } from "./rows.ts";
import { type Session, type SessionAnswer, type SessionRequest, sessions } from "./session.ts";
import { UsageError } from "./usage.ts";
import { onSign } from "./watch.ts";

/** Serves requests until the bench lets go. */
export function serveSession(): void {
  const send = (answer: SessionAnswer): void => tellParent(answer);
  onSign((doing) => send({ kind: "sign", doing }));
  // Ctrl-C reaches every process of a terminal; the parent says what is to be done about it.
  process.on("SIGINT", () => {});
  // The peak, like everything after it, is that of a host with all that the command switches on.
  allowRelaxedSimd();
  let session: Session | undefined;
  const answer = async (request: Exclude<SessionRequest, { kind: "stop" }>): Promise<SessionAnswer> => {
    if (request.kind === "open") {
      const open = await sessions[request.bench]();
      const machine = machineRecord();
      session = await open(request.settings);
      const { units, input, about } = session;
      return {
        kind: "opened",
        units,
        machine,
        ...(input && { input }),
        ...(about !== undefined && { about }),
      };
    }
    const before = runProbe();
    const rows = await session!.measure(request.unit, new Set(request.without));
    const probe = between(before, runProbe());
    return { kind: "measured", rows: rows.map((row) => withProbe(row, probe)), stopped: wasStopped() };
  };
  process.on("message", async (request: SessionRequest) => {
    if (request.kind === "stop") return stopMeasuring();
    try {
      send(await answer(request));
    } catch (error) {
      const reason = (error instanceof Error ? error.message : String(error)).split("\n")[0];
      send({ kind: "failed", reason, usage: error instanceof UsageError });
    }
  });
  process.on("disconnect", () => {
    session?.end();
    process.exit();
  });
}

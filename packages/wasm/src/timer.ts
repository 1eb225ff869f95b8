// A timer that does not keep a process alive: in Node it otherwise would.

/** Calls back after so many milliseconds, if the process is still there. */
export function after(milliseconds: number, call: () => void): unknown {
  const timer = setTimeout(call, milliseconds);
  (timer as { unref?: () => void }).unref?.();
  return timer;
}

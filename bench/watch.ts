// Signs of life: whoever measures says what it is about to do, and whoever waits for it can tell that it hangs, and where.

let report: (doing: string) => void = () => {};

/** Has every sign reported. */
export function onSign(listener: (doing: string) => void): void {
  report = listener;
}

/** Says what is done next. */
export function sign(doing: string): void {
  report(doing);
}

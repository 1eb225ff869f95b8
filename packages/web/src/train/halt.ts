// A pause: the training loop reaches it after the step at hand, and goes on when it is over.

/** A pause that was asked for. */
export interface Halt {
  readonly reached: Promise<void>;
  readonly over: Promise<void>;
  readonly reach: () => void;
  readonly lift: () => void;
}

/** @param onLift called when it is over */
export function haltOf(onLift: () => void): Halt {
  let reach = () => {};
  let end = () => {};
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  const lift = () => {
    onLift();
    // Whoever waits for a pause that is lifted before it began waits no longer.
    reach();
    end();
  };
  return { reached, over, reach, lift };
}

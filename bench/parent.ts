// The bench, as a process that it started sees it.

/**
 * Sends the bench a message. A bench that was killed lets nobody go first: that it is gone shows when an answer cannot be written,
 * and then this process ends without a word, where Node would throw EPIPE and print a stack trace.
 */
export function tellParent(message: unknown): void {
  process.send!(message, undefined, undefined, (error) => {
    if (error !== null) process.exit();
  });
}

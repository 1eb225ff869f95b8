// What the declarations of all commands share.

/** Takes the exit code of a command. */
export type Finish = (work: Promise<number>) => Promise<void>;

/** Examples below a command's help. */
export const examples = (...lines: string[]) =>
  `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}`;

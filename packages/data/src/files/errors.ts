// What can be wrong with a file or a folder of pictures, reported in one line that begins with its path.

/**
 * A picture that cannot be read or written: missing, damaged, too large, not what it should be.
 *
 * @example
 * console.log(new ImageFileError("eye.png", "the file is empty").message); // eye.png: the file is empty
 */
export class ImageFileError extends Error {
  override readonly name = "ImageFileError";
  readonly path: string;
  /** What is wrong, without the path. */
  readonly reason: string;

  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`${path}: ${reason}`, options);
    this.path = path;
    this.reason = reason;
  }
}

/**
 * A data set whose folder does not look as it must, or whose files do not belong together.
 *
 * @example
 * try { await readDataset({ kind: "drive", directory: "nowhere" }); }
 * catch (error) { console.log(error instanceof DatasetError); } // true
 */
export class DatasetError extends Error {
  override readonly name = "DatasetError";
  readonly directory: string;

  constructor(directory: string, reason: string) {
    super(`${directory}: ${reason}`);
    this.directory = directory;
  }
}

const SYSTEM_REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EDQUOT: "the disk quota is used up",
  EEXIST: "a file is in the way of a folder",
  EFBIG: "the file would be too large",
  EIO: "the disk reports an error",
  EISDIR: "is a folder, not a file",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "the name is too long",
  ENFILE: "too many files are open",
  ENODEV: "no such device",
  ENOENT: "no such file or folder",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of the path is a file, not a folder",
  ENXIO: "no such device",
  EPERM: "not permitted",
  EROFS: "the disk can only be read",
  ESTALE: "the network drive has lost it",
  ETIMEDOUT: "the network drive does not answer",
};

/**
 * What the operating system complains of, in words; undefined where it is not one of its usual complaints.
 *
 * @example
 * const error = Object.assign(new Error(), { code: "ENOENT" });
 * console.log(knownSystemReason(error)); // no such file or folder
 */
export function knownSystemReason(error: unknown): string | undefined {
  return SYSTEM_REASONS[(error as NodeJS.ErrnoException).code ?? ""];
}

/** What the operating system complains of, in words. */
export function systemReason(error: unknown): string {
  return knownSystemReason(error) ?? firstLine((error as Error).message);
}

/** The first line of a library's message. */
export function firstLine(message: string): string {
  return message.trim().split("\n")[0];
}

/** Of a picture that is not whole. */
export function damaged(message: string): string {
  return `is damaged or cut short (${firstLine(message)})`;
}

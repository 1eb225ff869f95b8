// What all copies of this package in one process have in common: which kernels are installed, whether operators are
// recorded, who runs programs. A bundle and a plain import easily bring two copies; a tensor made by one and used by the
// other would then lose its gradient without a word.

/** The version of this package. */
export const VERSION = "0.1.0";

const KEY = Symbol.for("@saunet/core");

interface Common {
  readonly version: string;
  readonly parts: Map<string, unknown>;
}

/**
 * A part of the state of this process: the first copy of this package that asks makes it, all others get the same.
 *
 * @throws Error where another version is loaded already
 * @example
 * console.log(shared("example", () => ({ count: 1 })) === shared("example", () => ({ count: 2 }))); // true
 */
export function shared<T>(name: string, make: () => T): T {
  const world = globalThis as { [KEY]?: Common };
  world[KEY] ??= { version: VERSION, parts: new Map() };
  const { version, parts } = world[KEY];
  if (version !== VERSION) {
    throw new Error(
      `@saunet/core: version ${VERSION} cannot share a process with version ${version}, which is loaded already; install one version (npm ls @saunet/core shows both)`,
    );
  }
  if (!parts.has(name)) parts.set(name, make());
  return parts.get(name) as T;
}

// What is used of a package that brings no types.
declare module "fs-native-extensions" {
  /** Locks an open file until it is closed; false where another handle has locked it. */
  export function tryLock(fd: number): boolean;
}

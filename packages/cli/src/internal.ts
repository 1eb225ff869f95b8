// What @saunet/screening is built of, for the same version of it: it adds the commands `serve` and `screen`. Nothing here is
// a public API.

export { throwIfAsked, untilAsked } from "./ending.ts";
export { exitCodeOf, explain, FAILED, UsageError, WorkError } from "./errors.ts";
export { csvRows } from "./figures.ts";
export { openNetwork, sha256, withFile, writeFile } from "./files.ts";
export { integer, positive, upTo } from "./options.ts";
export { complain, counted, duration, type Host, print, printLine, writeJson } from "./output.ts";
export { refuseClashes, weightsFile } from "./outputs.ts";
export { markedPng } from "./own-picture.ts";
export { type Painted, type Painter, type PhotographArray, painterOf } from "./segmenting.ts";
export { json, maxPixels, padTo, scaling, threads, threshold, weights } from "./shared-options.ts";
export { printableLines } from "./terminal.ts";

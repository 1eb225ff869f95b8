// Which code a test runs: one that never runs a mutant's code cannot notice it, so it is left out.

import { relative, sep } from "node:path";

/**
 * A statement or a function of a file and whether it ran: the line and column (both from 0) of its start and its end.
 *
 * @typedef {readonly [number, number, number, number, boolean]} Piece
 */

/**
 * What ran of each file, by its path below a folder.
 *
 * @param {import("istanbul-lib-coverage").CoverageMap} map
 * @returns {Record<string, readonly Piece[]>}
 */
export function piecesOf(map, folder) {
  const piece = ({ start, end }, count) => [
    start.line - 1,
    start.column,
    end.line - 1,
    end.column,
    count > 0,
  ];
  return Object.fromEntries(
    map.files().map((path) => {
      // Branches are left out: that of an `else` that is not written spans the whole statement.
      const { statementMap, s, fnMap, f } = map.fileCoverageFor(path);
      const statements = Object.entries(statementMap).map(([id, place]) => piece(place, s[id]));
      const functions = Object.entries(fnMap).map(([id, { loc }]) => piece(loc, f[id]));
      return [relative(folder, path).replaceAll(sep, "/"), [...statements, ...functions]];
    }),
  );
}

const isBefore = (line, column, otherLine, otherColumn) =>
  line < otherLine || (line === otherLine && column <= otherColumn);

/** Whether the smallest piece around a mutant ran; where none is around it, it stands in what runs when the file is read. */
export function runs(pieces, { start, end }) {
  let [innermost, isRun] = [undefined, true];
  for (const [line, column, endLine, endColumn, ran] of pieces) {
    const isAround =
      isBefore(line, column, start.line, start.column) && isBefore(end.line, end.column, endLine, endColumn);
    if (!isAround) continue;
    const isSame = innermost?.[0] === line && innermost[1] === column;
    if (isSame) isRun ||= ran;
    else if (innermost === undefined || isBefore(innermost[0], innermost[1], line, column))
      [innermost, isRun] = [[line, column], ran];
  }
  return isRun;
}

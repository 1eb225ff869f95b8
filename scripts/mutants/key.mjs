/** What tells a mutant from all others: its file, where it is (lines and columns from 0) and what it puts there. */
export function keyOf(file, { start, end }, replacement) {
  return `${file} ${start.line}:${start.column}-${end.line}:${end.column} ${replacement}`;
}

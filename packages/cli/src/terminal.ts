// Text that may hold names of files, layers or networks, which whoever made the file chose: what a terminal would obey
// instead of showing is written out.

/** Control characters (Unicode Cc: escape sequences begin with one), other ends of lines, and what turns the direction of text. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Text of one line, or a part of it, as a terminal may be given it: `\x1b` for an escape, `\x0a` for a line's end. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, written);
}

/** Text of several lines as a terminal may be given it. */
export function printableLines(text: string): string {
  return text.replace(UNPRINTABLE, (character) => (character === "\n" ? character : written(character)));
}

/** JSON, in which most of them are written out already, with the others written out too: it still means the same. */
export function printableJson(json: string): string {
  return json.replace(UNPRINTABLE, (character) => `\\u${hexadecimal(character, 4)}`);
}

const written = (character: string): string =>
  character.charCodeAt(0) < 256 ? `\\x${hexadecimal(character, 2)}` : `\\u${hexadecimal(character, 4)}`;

const hexadecimal = (character: string, digits: number): string =>
  character.charCodeAt(0).toString(16).padStart(digits, "0");

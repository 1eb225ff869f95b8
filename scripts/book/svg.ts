// Figures as SVG. They take their colours from the page (scripts/site/book.css), so one drawing serves light and dark.
// They are 360 units wide, which is what a telephone of 390 pixels shows one to one: no letter is smaller than 11.

import type { Mask, Photograph } from "@saunet/data";
import { encodePng, type GreyPicture } from "@saunet/data/files";

/** A drawing and what it says to those who do not see it. */
export interface Figure {
  readonly svg: string;
  readonly title: string;
  readonly description: string;
}

/** The width of every figure. */
export const WIDTH = 360;

/** The classes that the page's style sheet colours. */
export type Ink = "ink" | "soft" | "accent" | "warm" | "cool";

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]!);

const short = (value: number): string => String(Number(value.toFixed(2)));

/** Puts parts together as one figure. */
export function figure(
  { height, title, description }: { height: number; title: string; description: string },
  parts: readonly string[],
): Figure {
  const head = `<svg class="drawing" role="img" viewBox="0 0 ${WIDTH} ${height}" xmlns="http://www.w3.org/2000/svg">`;
  const words = `<title>${escaped(title)}</title><desc>${escaped(description)}</desc>`;
  return { svg: `${head}${words}${parts.join("")}</svg>`, title, description };
}

/** How a text is set. */
export interface TextStyle {
  readonly anchor?: "start" | "middle" | "end";
  readonly size?: number;
  readonly ink?: Ink;
  readonly bold?: boolean;
  readonly mono?: boolean;
}

/** A line of text; `y` is its base line. */
export function text(x: number, y: number, words: string | number, style: TextStyle = {}): string {
  const { anchor = "start", size = 12, ink = "ink", bold = false, mono = false } = style;
  const classes = [ink, bold ? "bold" : "", mono ? "mono" : ""].filter((name) => name !== "").join(" ");
  return `<text class="${classes}" x="${short(x)}" y="${short(y)}" font-size="${size}" text-anchor="${anchor}">${escaped(String(words))}</text>`;
}

/** A rectangle, filled faintly in its colour or only drawn around. */
export function box(
  x: number,
  y: number,
  width: number,
  height: number,
  { ink = "soft", filled = false, radius = 3 }: { ink?: Ink; filled?: boolean; radius?: number } = {},
): string {
  const size = `x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}"`;
  return `<rect class="${filled ? `fill-${ink}` : "hollow"} stroke-${ink}" ${size} rx="${radius}"/>`;
}

/** A straight line; with an arrow at its end if so wished. */
export function line(
  [x1, y1]: readonly [number, number],
  [x2, y2]: readonly [number, number],
  { ink = "soft", arrow = false, dashed = false }: { ink?: Ink; arrow?: boolean; dashed?: boolean } = {},
): string {
  const dash = dashed ? ' stroke-dasharray="4 3"' : "";
  const path = `<path class="hollow stroke-${ink}" d="M${short(x1)} ${short(y1)}L${short(x2)} ${short(y2)}"${dash}/>`;
  if (!arrow) return path;
  const angle = Math.atan2(y2 - y1, x2 - x1);
  const corner = (turn: number) =>
    `${short(x2 - 7 * Math.cos(angle + turn))} ${short(y2 - 7 * Math.sin(angle + turn))}`;
  return `${path}<path class="solid-${ink}" d="M${short(x2)} ${short(y2)}L${corner(0.45)}L${corner(-0.45)}Z"/>`;
}

/** A line through points. */
export function curve(points: readonly (readonly [number, number])[], ink: Ink = "accent"): string {
  return `<path class="hollow thick stroke-${ink}" d="M${points.map(([x, y]) => `${short(x)} ${short(y)}`).join("L")}"/>`;
}

/** Numbers in cells, row by row; `ink` colours the cells that it returns a colour for. */
export function grid(
  x: number,
  y: number,
  rows: readonly (readonly (number | string)[])[],
  {
    cell = 30,
    tall = cell,
    size = 11,
    ink = () => undefined,
  }: {
    cell?: number;
    tall?: number;
    size?: number;
    ink?: (row: number, column: number) => Ink | undefined;
  } = {},
): string {
  return rows
    .flatMap((values, row) =>
      values.map((value, column) => {
        const colour = ink(row, column);
        const [left, top] = [x + column * cell, y + row * tall];
        const around =
          colour === undefined
            ? box(left, top, cell, tall, { radius: 0 })
            : box(left, top, cell, tall, { ink: colour, filled: true, radius: 0 });
        return around + text(left + cell / 2, top + tall / 2 + 4, value, { anchor: "middle", size });
      }),
    )
    .join("");
}

/** A picture of so many units; its pixels stay square where it is enlarged. */
export async function picture(
  x: number,
  y: number,
  width: number,
  height: number,
  pixels: Photograph | Mask | GreyPicture,
): Promise<string> {
  const png = Buffer.from(await encodePng(pixels)).toString("base64");
  const size = `x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}"`;
  const look = pixels.width < width ? ' class="pixels"' : "";
  return `<image${look} ${size} href="data:image/png;base64,${png}"/>`;
}

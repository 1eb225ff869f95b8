// What the plots of the page share: their size, and a grid at round numbers.

export const [WIDTH, HEIGHT] = [760, 420];
export const MARGIN = { left: 52, right: 128, top: 12, bottom: 40 };

/** An axis: its ends, and where a number lies on paper. */
interface Axis {
  (value: number): number;
  domain(): number[];
  ticks(count: number): number[];
}

export const decimal = (value: number): string => String(Number(value.toPrecision(3)));

/** Those of one digit, of which a logarithmic axis has room for. */
const isRound = (tick: number): boolean => /^[125](\.0*)?e/.test(tick.toExponential());

/** The lines of both axes with their numbers, and what the axes are. */
export function gridOf(x: Axis, y: Axis, titles: { readonly x: string; readonly y: string }): string {
  const [left, right] = x.domain();
  const [bottom, top] = y.domain();
  const vertical = (tick: number) =>
    `<path class="grid" d="M${x(tick)} ${y(bottom)}V${y(top)}"/><text x="${x(tick)}" y="${y(bottom) + 16}" text-anchor="middle">${decimal(tick)}</text>`;
  const horizontal = (tick: number) =>
    `<path class="grid" d="M${x(left)} ${y(tick)}H${x(right)}"/><text x="${x(left) - 6}" y="${y(tick) + 4}" text-anchor="end">${decimal(tick)}</text>`;
  return `${x.ticks(6).filter(isRound).map(vertical).join("")}${y.ticks(6).filter(isRound).map(horizontal).join("")}
<text x="${(x(left) + x(right)) / 2}" y="${HEIGHT - 4}" text-anchor="middle">${titles.x}</text>
<text transform="translate(12 ${(y(top) + y(bottom)) / 2}) rotate(-90)" text-anchor="middle">${titles.y}</text>`;
}

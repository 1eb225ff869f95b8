// What lies near a point: owners of points, kept in square cells so that a look-up reads only the cells around.

interface Entry<Owner> {
  readonly x: number;
  readonly y: number;
  readonly owner: Owner;
  readonly width: number;
}

/** Points with an owner and a width over a picture and a margin of one cell around it. */
export class OccupancyGrid<Owner> {
  readonly #cell: number;
  readonly #columns: number;
  readonly #cells: Entry<Owner>[][];

  constructor(width: number, height: number, cell: number) {
    this.#cell = cell;
    this.#columns = Math.ceil(width / cell) + 2;
    const rows = Math.ceil(height / cell) + 2;
    this.#cells = Array.from({ length: this.#columns * rows }, () => []);
  }

  /** Remembers a point; one beyond the margin is forgotten. */
  add(x: number, y: number, owner: Owner, width: number): void {
    const column = Math.floor(x / this.#cell) + 1;
    const row = Math.floor(y / this.#cell) + 1;
    if (column < 0 || column >= this.#columns) return;
    this.#cells[row * this.#columns + column]?.push({ x, y, owner, width });
  }

  /** Visits the points within `reach` until one visit returns true, and tells whether one did. */
  some(
    x: number,
    y: number,
    reach: number,
    visit: (owner: Owner, gap: number, width: number, px: number, py: number) => boolean,
  ): boolean {
    const last = this.#columns - 1;
    const left = Math.max(0, Math.floor((x - reach) / this.#cell) + 1);
    const right = Math.min(last, Math.floor((x + reach) / this.#cell) + 1);
    const top = Math.max(0, Math.floor((y - reach) / this.#cell) + 1);
    const bottom = Math.floor((y + reach) / this.#cell) + 1;
    for (let row = top; row <= bottom; row++)
      for (let column = left; column <= right; column++) {
        for (const entry of this.#cells[row * this.#columns + column] ?? []) {
          const gap = Math.hypot(x - entry.x, y - entry.y);
          if (gap <= reach && visit(entry.owner, gap, entry.width, entry.x, entry.y)) return true;
        }
      }
    return false;
  }
}

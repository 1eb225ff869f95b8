// Digits drawn by code: each is a few strokes, turned, slanted, moved and stretched at random, with noise over them.

import { draw, normal, randomState, tensor } from "@saunet/core";

/** Side of an image, in pixels. */
export const SIDE = 16;

/** Strokes of each digit: points in a square of side 1, y downwards. */
const STROKES = [
  [
    [
      [0.5, 0],
      [0.15, 0.2],
      [0.15, 0.8],
      [0.5, 1],
      [0.85, 0.8],
      [0.85, 0.2],
      [0.5, 0],
    ],
  ],
  [
    [
      [0.25, 0.25],
      [0.55, 0],
      [0.55, 1],
    ],
  ],
  [
    [
      [0.15, 0.25],
      [0.5, 0],
      [0.85, 0.25],
      [0.15, 1],
      [0.85, 1],
    ],
  ],
  [
    [
      [0.15, 0.1],
      [0.6, 0],
      [0.8, 0.25],
      [0.45, 0.48],
      [0.85, 0.75],
      [0.5, 1],
      [0.15, 0.9],
    ],
  ],
  [
    [
      [0.65, 1],
      [0.65, 0],
      [0.1, 0.65],
      [0.9, 0.65],
    ],
  ],
  [
    [
      [0.85, 0],
      [0.2, 0],
      [0.2, 0.45],
      [0.65, 0.4],
      [0.85, 0.7],
      [0.55, 1],
      [0.15, 0.9],
    ],
  ],
  [
    [
      [0.75, 0],
      [0.3, 0.35],
      [0.15, 0.75],
      [0.5, 1],
      [0.85, 0.75],
      [0.5, 0.5],
      [0.2, 0.65],
    ],
  ],
  [
    [
      [0.15, 0],
      [0.85, 0],
      [0.4, 1],
    ],
  ],
  [
    [
      [0.5, 0.46],
      [0.2, 0.23],
      [0.5, 0],
      [0.8, 0.23],
      [0.5, 0.46],
      [0.15, 0.75],
      [0.5, 1],
      [0.85, 0.75],
      [0.5, 0.46],
    ],
  ],
  [
    [
      [0.8, 0.35],
      [0.5, 0.5],
      [0.15, 0.25],
      [0.5, 0],
      [0.85, 0.25],
      [0.7, 0.65],
      [0.25, 1],
    ],
  ],
];

/** Distance of a point from the line between two others. */
function distance([x, y], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const t = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)));
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}

/**
 * Draws `count` digits, all ten in turn.
 *
 * @returns images `[count,SIDE,SIDE,1]`, about 0 outside of the strokes and 1 on them, and classes `[count]`
 */
export function drawDigits(count, seed) {
  const random = randomState(seed);
  const between = (low, high) => low + (high - low) * draw(random);
  const images = normal([count, SIDE, SIDE, 1], random, { deviation: 0.1 });
  for (let n = 0; n < count; n++) {
    const [turn, slant] = [between(-0.25, 0.25), between(-0.3, 0.3)];
    const [width, height] = [between(0.55, 0.8) * SIDE, between(0.65, 0.85) * SIDE];
    const [x, y] = [between(0.43, 0.57) * SIDE, between(0.43, 0.57) * SIDE];
    const thickness = between(0.6, 1.1);
    const strokes = STROKES[n % 10].map((points) =>
      points.map(([u, v]) => {
        const [p, q] = [(u - 0.5) * width - slant * (v - 0.5) * height, (v - 0.5) * height];
        return [x + p * Math.cos(turn) - q * Math.sin(turn), y + p * Math.sin(turn) + q * Math.cos(turn)];
      }),
    );
    const lines = strokes.flatMap((points) => points.slice(1).map((point, i) => [points[i], point]));
    for (let i = 0; i < SIDE * SIDE; i++) {
      const pixel = [(i % SIDE) + 0.5, Math.floor(i / SIDE) + 0.5];
      const nearest = Math.min(...lines.map(([from, to]) => distance(pixel, from, to)));
      images.data[n * SIDE * SIDE + i] += 1 / (1 + Math.exp(4 * (nearest - thickness)));
    }
  }
  return { images, classes: tensor(Array.from({ length: count }, (_, n) => n % 10)) };
}

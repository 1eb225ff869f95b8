// 1. Naive: the sum as it is written, seven loops deep.
//
// Every output adds its products in one local variable. Two things make it slow. The innermost loop checks whether its
// tap lies on the image. And the taps of one channel lie C numbers apart in the image and C·O apart in the filter, so
// that nearly every product touches two new cache lines.
//
// Measured (`pnpm bench lab`, Node 20.20, AMD EPYC): 0.5 GFLOP/s, 5 % of what TypeScript can do in registers.

import { inTypeScript } from "./attempt.ts";

export const naive = inTypeScript(
  1,
  "naive",
  (w) => w,
  (y, x, w, b, d) => {
    for (let n = 0; n < d.N; n++)
      for (let oy = 0; oy < d.OH; oy++)
        for (let ox = 0; ox < d.OW; ox++)
          for (let o = 0; o < d.O; o++) {
            let sum = b[o];
            for (let c = 0; c < d.C; c++)
              for (let ky = 0; ky < d.KH; ky++)
                for (let kx = 0; kx < d.KW; kx++) {
                  const iy = oy * d.strideH - d.padTop + ky * d.dilationH;
                  const ix = ox * d.strideW - d.padLeft + kx * d.dilationW;
                  if (iy < 0 || iy >= d.H || ix < 0 || ix >= d.W) continue;
                  sum += x[((n * d.H + iy) * d.W + ix) * d.C + c] * w[((ky * d.KW + kx) * d.C + c) * d.O + o];
                }
            y[((n * d.OH + oy) * d.OW + ox) * d.O + o] = sum;
          }
  },
);

// 2. Loop order: output channels innermost.
//
// They are neighbours in the filter and in the output, so the innermost loop walks along memory, and the check for the
// border has moved four loops out. The price: each product reads and writes its sum in memory, rounded to float every
// time.
//
// Measured (`pnpm bench lab`, Node 20.20, AMD EPYC): 2.6 to 2.9 times faster than attempt 1.

import { inTypeScript } from "./attempt.ts";

export const loopOrder = inTypeScript(
  2,
  "loop order",
  (w) => w,
  (y, x, w, b, d) => {
    for (let n = 0; n < d.N; n++)
      for (let oy = 0; oy < d.OH; oy++) {
        const row = (n * d.OH + oy) * d.OW * d.O;
        for (let ox = 0; ox < d.OW; ox++) y.set(b, row + ox * d.O);
        for (let ky = 0; ky < d.KH; ky++) {
          const iy = oy * d.strideH - d.padTop + ky * d.dilationH;
          if (iy < 0 || iy >= d.H) continue;
          for (let ox = 0; ox < d.OW; ox++)
            for (let kx = 0; kx < d.KW; kx++) {
              const ix = ox * d.strideW - d.padLeft + kx * d.dilationW;
              if (ix < 0 || ix >= d.W) continue;
              const pixel = ((n * d.H + iy) * d.W + ix) * d.C;
              for (let c = 0; c < d.C; c++) {
                const value = x[pixel + c];
                const weights = ((ky * d.KW + kx) * d.C + c) * d.O;
                for (let o = 0; o < d.O; o++) y[row + ox * d.O + o] += value * w[weights + o];
              }
            }
        }
      }
  },
);

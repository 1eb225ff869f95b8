// 10. The naive loops in WebAssembly.
//
// Attempt 1 word for word, a float at a time. A compiler that knows its types saves the conversions and nothing else:
// the order of the loops is as bad for the caches as it was.
//
// Measured (`pnpm bench lab`, Node 20.20, AMD EPYC): 1.6 to 2.6 times faster than attempt 1, 12 to 23 times
// slower than attempt 9. The algorithm comes before the language.

import { FLOAT, inWebAssembly } from "./wasm.ts";

export const wasmNaive = inWebAssembly({
  number: 10,
  name: "wasm naive",
  serves: () => true,
  arrange: (w) => w,
  write: (f, d, at) => {
    const { i32, f32 } = f;
    const [n, oy, ox, o, c, ky, kx] = ["n", "oy", "ox", "o", "c", "ky", "kx"].map((name) =>
      f.local(name, "i32"),
    );
    const iy = f.local("iy", "i32");
    const ix = f.local("ix", "i32");
    const sum = f.local("sum", "f32");
    const y = f.let("y", i32.const(at.output));
    f.forRange(n, { to: d.N }, () =>
      f.forRange(oy, { to: d.OH }, () =>
        f.forRange(ox, { to: d.OW }, () =>
          f.forRange(o, { to: d.O }, () => {
            f.set(sum, f32.load(i32.mul(o, FLOAT), { offset: at.bias }));
            f.forRange(c, { to: d.C }, () =>
              f.forRange(ky, { to: d.KH }, () =>
                f.forRange(kx, { to: d.KW }, () => {
                  f.set(iy, i32.add(i32.sub(i32.mul(oy, d.strideH), d.padTop), i32.mul(ky, d.dilationH)));
                  f.set(ix, i32.add(i32.sub(i32.mul(ox, d.strideW), d.padLeft), i32.mul(kx, d.dilationW)));
                  // Unsigned: a negative index is a large one.
                  f.if(i32.and(i32.lt_u(iy, d.H), i32.lt_u(ix, d.W)), () => {
                    const row = i32.add(i32.mul(n, d.H), iy);
                    const pixel = i32.add(i32.mul(row, d.W), ix);
                    const x = f.let("x", i32.mul(i32.add(i32.mul(pixel, d.C), c), FLOAT));
                    const tap = i32.add(i32.mul(ky, d.KW), kx);
                    const channel = i32.add(i32.mul(tap, d.C), c);
                    const w = f.let("w", i32.mul(i32.add(i32.mul(channel, d.O), o), FLOAT));
                    const value = f.let("value", f32.load(x, { offset: at.image }));
                    f.set(sum, f32.add(sum, f32.mul(value, f32.load(w, { offset: at.filter }))));
                  });
                }),
              ),
            );
            f32.store(y, sum);
            f.advance(y, FLOAT);
          }),
        ),
      ),
    );
  },
});

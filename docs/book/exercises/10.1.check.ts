import { rowsOf } from "../../../packages/wasm/src/kernels/conv/register-tile.ts";
import { expectNumber } from "../../../scripts/book/expect.ts";
import type { pixelsOfTile } from "./10.1.ts";

export function check(answer: typeof pixelsOfTile): void {
  for (const vectors of [1, 2, 3, 4])
    expectNumber(`pixelsOfTile(${vectors}, 15), as the engine has it,`, answer(vectors, 15), rowsOf(vectors));
  expectNumber("pixelsOfTile(4, 31)", answer(4, 31), 5);
  expectNumber("pixelsOfTile(2, 4)", answer(2, 4), 0);
}

import { adam, parameter, tensor } from "@saunet/core";
import { expectNumbers } from "../../../scripts/book/expect.ts";
import type { adamStep } from "./9.1.ts";

export function check(answer: typeof adamStep): void {
  const w = parameter(tensor([1]));
  const optimizer = adam({ w }, { learningRate: 0.1 });
  let state: [number, number, number] = [1, 0, 0];
  [0.5, -2, 0.25, 3].forEach((g, i) => {
    w.grad = Float32Array.of(g);
    optimizer.step();
    state = answer(state, g, i + 1, 0.1);
    const wanted = [w.data[0], optimizer.state["m.w"].data[0], optimizer.state["v.w"].data[0]];
    expectNumbers(`[w, m, v] after step ${i + 1}`, state, wanted, 1e-5);
  });
}

import { inspectNetwork, saUNetV2 } from "@saunet/model";
import { expectNumber } from "../../../scripts/book/expect.ts";
import type { stageParameters } from "./7.1.ts";

export function check(answer: typeof stageParameters): void {
  const { layers } = inspectNetwork(saUNetV2, { height: 8, width: 8 });
  for (const [stage, input, output] of [
    ["encoder1", 3, 16],
    ["encoder3", 32, 48],
    ["decoder2", 64, 32],
  ] as const) {
    const wanted = layers
      .filter(({ layer }) => layer === `${stage}.conv1` || layer === `${stage}.conv2`)
      .reduce((sum, { parameters }) => sum + parameters, 0);
    expectNumber(`${stage}: stageParameters(${input}, ${output})`, answer(input, output), wanted);
  }
}

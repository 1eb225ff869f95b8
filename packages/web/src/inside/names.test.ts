import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parameterSpecs, saUNetV2 } from "@saunet/model";
import { describe, expect, it } from "vitest";
import { deedOf, linesOf, nameOf } from "./names.ts";

const source = readFileSync(fileURLToPath(new URL("../../../model/src/network.ts", import.meta.url)), "utf8");
const layers = new Set(
  Object.keys(parameterSpecs(saUNetV2))
    .filter((path) => !path.includes("norm"))
    .map((path) => path.slice(0, path.lastIndexOf("."))),
);

describe("the layers", () => {
  it.each([...layers])("%s has a name, a deed, and its lines in the source", (id) => {
    expect(nameOf(id)).toMatch(/^(Head|(Encoder|Decoder|Bottleneck)( \d)?, (unit \d|enlarged|attention))$/);
    expect(deedOf(saUNetV2, id).length).toBeGreaterThan(30);
    const lines = source.split("\n").filter((line) => linesOf(id).test(line));
    expect(lines).toHaveLength(/conv\d$/.test(id) ? 5 : 1);
    expect(lines.some((line) => line.includes("crossScale"))).toBe(/^decoder\d\.attention$/.test(id));
  });
});

// Every type of picture in fixtures/picture-types is read to the pixels that readers of others find in it, or refused;
// and docs/data.md says so.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readMask, readPhotograph } from "@saunet/data/files";
import { describe, expect, it } from "vitest";
import { pageWith, pictureCases, pictureTables } from "./picture-types.mjs";
import { root } from "./workspace.mjs";

interface Case {
  readonly kind: "photograph" | "mask";
  readonly file: string;
  readonly path: string;
  readonly width: number;
  readonly height: number;
  /** RGB of a photograph, 0 and 1 of a mask. */
  readonly right?: Uint8Array;
  /** How far a sample may be off: 0 unless decoders may round differently. */
  readonly tolerance?: number;
  /** A part of the message. */
  readonly refused?: string;
}

const cases = pictureCases() as Case[];
const read = ({ kind, path }: Case) => (kind === "mask" ? readMask(path) : readPhotograph(path));

describe("types of pictures", () => {
  it.each(cases.filter(({ right }) => right !== undefined))("$file is read", async (each) => {
    const { width, height, data } = await read(each);
    expect([width, height]).toEqual([each.width, each.height]);
    expect(data.length).toBe(each.right?.length);
    const apart = data.map((value, i) => Math.abs(value - (each.right?.[i] ?? Number.NaN)));
    expect(Math.max(...apart)).toBeLessThanOrEqual(each.tolerance ?? 0);
  });

  it.each(cases.filter(({ refused }) => refused !== undefined))("$file is refused", async (each) => {
    const error: unknown = await read(each).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ name: "ImageFileError" });
    const { message } = error as Error;
    expect(message.startsWith(`${each.path}: `)).toBe(true);
    expect(message).toContain(each.refused);
    expect(message).not.toMatch(/damaged|\n/);
  });

  it("are those of docs/data.md (npm run build && node scripts/picture-types.mjs writes them)", async () => {
    const page = readFileSync(join(root, "docs/data.md"), "utf8");
    expect(page).toBe(pageWith(await pictureTables({ readMask, readPhotograph }), page));
  });
});

// DICOM as the page reads it: with the codecs that it fetches itself.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { decodeDicomFile } from "./dicom.ts";
import { ClearPicture } from "./testing.ts";

// Bundlers find the names of this module, Node does not.
vi.mock("dcmjs-codecs", async (original) => {
  const { default: codecs } = await original<{ default: object }>();
  return { ...codecs, default: codecs };
});
beforeAll(() => vi.stubGlobal("ImageData", ClearPicture));
afterAll(() => void vi.unstubAllGlobals());

const fileOf = (path: string) => readFile(fileURLToPath(new URL(path, import.meta.url)));
const fixture = (name: string) => fileOf(`../../../../fixtures/dicom/${name}`);

it("unpacks pixels with codecs that lie beside the page, and says where those cannot be fetched", async () => {
  const packed = await fixture("rle.dcm");
  const fetched = vi.fn(async () => new Response("nothing here", { status: 404, statusText: "Not Found" }));
  vi.stubGlobal("fetch", fetched);
  await expect(decodeDicomFile(packed)).rejects.toThrow(/packed pixels, .*404 Not Found/);
  // Another file, once they can be.
  const codecs = await fileOf("../../node_modules/dcmjs-codecs/build/dcmjs-native-codecs.wasm");
  fetched.mockResolvedValue(new Response(new Uint8Array(codecs)));
  const { data } = await decodeDicomFile(packed);
  const address = expect.stringMatching(/dcmjs-native-codecs.*\.wasm/);
  expect(fetched.mock.calls).toEqual([[address], [address]]);
  // What pydicom finds in it.
  const { cases, pictures } = JSON.parse((await fixture("dicom.json")).toString());
  const { picture } = cases.find(({ name }: { name: string }) => name === "rle");
  expect(Buffer.from(data.filter((_, i) => i % 4 < 3)).toString("base64")).toBe(pictures[picture]);
});

import { readFileSync } from "node:fs";
import { randomState } from "@saunet/core";
import { describe, expect, it } from "vitest";
import { saUNetV2 } from "./config.ts";
import { fileKind, nameOfKind } from "./file-kind.ts";
import { initialize } from "./parameters.ts";
import { readWeights, writeWeights } from "./weights.ts";

const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../../fixtures/files/${name}`, import.meta.url)));
const text = (value: string) => Uint8Array.from(value, (character) => character.charCodeAt(0));

/** The beginning of an archive whose first file has this name. */
function archive(name: string): Uint8Array {
  const head = new Uint8Array(30 + name.length + 100);
  head.set([0x50, 0x4b, 3, 4]);
  head.set([name.length % 256, Math.floor(name.length / 256)], 26);
  head.set(text(name), 30);
  return head;
}

const legacyTorch = text("\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.");

describe("fileKind", () => {
  it.each<readonly [string, string | undefined, Uint8Array]>([
    ["Keras's HDF5", "hdf5", fixture("keras2/sa-unet.h5")],
    ["Keras's archive", "keras", fixture("keras2/sa-unet.keras")],
    ["Keras 3's archive", "keras", fixture("keras3/four-groups.keras")],
    ["PyTorch's safetensors", "safetensors", fixture("torch/u-net.safetensors")],
    ["a PyTorch checkpoint", "torch", fixture("torch/checkpoint.pth")],
    ["one of before 1.6", "torch", fixture("torch/checkpoint-legacy.pth")],
    ["the beginning of one", "torch", legacyTorch],
    ["another archive of PyTorch", "torch", archive("weights/byteorder")],
    ["a program of PyTorch", "torch", archive("model/code/__torch__.py")],
    ["one whose first name is longer than a byte counts", "torch", archive(`${"m".repeat(300)}/data.pkl`)],
    ["a pickle", "pickle", text("\x80\x04\x95")],
    ["a pickle of another number of ten bytes", "pickle", text("\x80\x02\x8a\x0a0123456789.")],
    ["the oldest binary pickle", "pickle", text("\x80\x02}")],
    ["the newest pickle", "pickle", text("\x80\x05\x95")],
    ["a protocol that no pickle has", undefined, text("\x80\x06\x95")],
    ["another", undefined, text("\x80\x01\x95")],
    ["what has a pickle's second byte alone", undefined, text("\x81\x04\x95")],
    ["ONNX, the producer second", "onnx", text("\x08\x07\x12\x07pytorch")],
    ["ONNX, the graph second", "onnx", text("\x08\x3f\x3a\x80\x01")],
    ...["\x1a", "\x22", "\x42"].map((field) => ["ONNX", "onnx", text(`\x08\x01${field}`)] as const),
    ["a version that ONNX does not count", undefined, text("\x08\x00\x12")],
    ["a version that ONNX has not come to", undefined, text("\x08\x40\x12")],
    ["another field than an ONNX model has", undefined, text("\x08\x07\x13")],
    ["what begins with another field", undefined, text("\x09\x07\x12")],
    ["NumPy's arrays", "numpy", archive("w.npy")],
    ["an array of NumPy", "numpy", text("\x93NUMPY\x01\x00")],
    ["an archive", "zip", archive("readme.txt")],
    ["a short archive", "zip", text("PK\x03\x04")],
    ["gzip", "gzip", text("\x1f\x8b\x08")],
    ["a page", "html", text("\n<!DOCTYPE html><html>")],
    ["a photograph", "picture", text("\xff\xd8\xff\xe0")],
    ["a TIFF", "picture", text("II*\0")],
    ["a TIFF of the other order", "picture", text("MM\0*")],
    ["a page in XML", "html", text("  <?xml version='1.0'?><html/>")],
    ["one without a type", "html", text("<HTML lang='en'>")],
    ["a picture that is only spoken of", undefined, text("see II*\0")],
    ["a page that is only spoken of", undefined, text("see <html>")],
    ["what has no archive's beginning", undefined, text("a PK\x03\x04")],
    ["Keras's settings first", "keras", archive("config.json")],
    ["Keras's weights first", "keras", archive("model.weights.h5")],
    ["Keras's names in a folder", "zip", archive("a/config.json")],
    ["PyTorch's names without a folder", "zip", archive("data.pkl")],
    ["PyTorch's names two folders deep", "zip", archive("a/b/data.pkl")],
    ["a mask", "picture", text("\x89PNG\r\n\x1a\n")],
    ["a pointer", "lfs", text("version https://git-lfs.github.com/spec/v1\n")],
    ["zeros", undefined, new Uint8Array(512)],
    ["nothing", undefined, new Uint8Array(0)],
    ["a text", undefined, text("weights of my network {")],
    ["a header of 2^48 bytes", undefined, text("\x02\0\0\0\0\0\x01\0{}")],
    ["what only has a brace at the right place", undefined, text("weights {of my network}")],
  ])("tells %s: %s", (_, kind, bytes) => {
    expect(fileKind(bytes.subarray(0, 512))).toBe(kind);
  });

  it("is what readWeights says of a file", () => {
    for (const [name, kind, hint] of [
      ["keras2/sa-unet.h5", "hdf5", "; saunet import takes it over"],
      ["keras3/four-groups.keras", "keras", "; saunet import takes it over"],
      ["torch/checkpoint.pth", "torch", ""],
      ["torch/checkpoint-legacy.pth", "torch", ""],
    ] as const) {
      const message = `weights: the file is ${nameOfKind(kind)}, not a safetensors file${hint}`;
      expect(() => readWeights(fixture(name))).toThrow(message);
    }
    const config = { ...saUNetV2, channels: [8, 8] };
    const bytes = writeWeights({ config, parameters: initialize(config, randomState(1)), metadata: {} });
    expect(fileKind(bytes.subarray(0, 512))).toBe("safetensors");
  });
});

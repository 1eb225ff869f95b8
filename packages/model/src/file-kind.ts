// What a file is that was given in place of weights, told from its first bytes. People mix up files, and a name says
// more than "damaged".

/** Enough of a file for {@link fileKind}. */
export const HEAD_BYTES = 512;

/** The formats that {@link fileKind} knows, and how messages call them. */
const NAMES = {
  keras: "a Keras archive (.keras)",
  hdf5: "an HDF5 file, as Keras writes them (.h5)",
  torch: "a PyTorch checkpoint (.pth, .pt)",
  safetensors: "a safetensors file",
  onnx: "an ONNX model",
  numpy: "a file of NumPy (.npy, .npz)",
  pickle: "a Python pickle",
  zip: "a zip archive",
  gzip: "compressed with gzip",
  html: "a web page",
  picture: "a picture",
  lfs: "a Git LFS pointer, not the file that it stands for",
} as const;

/** A format of files, as {@link fileKind} tells them. */
export type FileKind = keyof typeof NAMES;

/**
 * How messages call a format, such as `a PyTorch checkpoint (.pth, .pt)`.
 *
 * @example
 * console.log(nameOfKind("torch")); // a PyTorch checkpoint (.pth, .pt)
 */
export function nameOfKind(kind: FileKind): string {
  return NAMES[kind];
}

/** The long integer that `torch.save` pickled first before its files became archives (1.6). */
const TORCH_MAGIC = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const BRACE = 0x7b;

/**
 * Tells the format of a file; `undefined` where it is none that is known here.
 *
 * @param head its first bytes, up to {@link HEAD_BYTES}
 * @example
 * console.log(fileKind(new TextEncoder().encode("<!doctype html>")), fileKind(new Uint8Array(8))); // html undefined
 */
export function fileKind(head: Uint8Array): FileKind | undefined {
  const begins = (...bytes: number[]) => bytes.every((byte, i) => head[i] === byte);
  const text = latin1(head.subarray(0, HEAD_BYTES));
  if (begins(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a)) return "hdf5";
  if (text.startsWith("PK\x03\x04")) return zipKind(head, text);
  // Protocol 2: PROTO, LONG1 of 10 bytes.
  if (begins(0x80, 2, 0x8a, 10, ...TORCH_MAGIC)) return "torch";
  if (head[0] === 0x80 && head[1] >= 2 && head[1] <= 5) return "pickle";
  if (begins(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59)) return "numpy";
  if (begins(0x1f, 0x8b)) return "gzip";
  if (/^(\x89PNG|\xff\xd8\xff|II\*\0|MM\0\*)/.test(text)) return "picture";
  if (text.startsWith("version https://git-lfs")) return "lfs";
  if (/^\s*<(!doctype|html|\?xml)/i.test(text)) return "html";
  // The header begins with a brace, after its length of 8 bytes, whose upper ones are 0 in any real file.
  if (head[8] === BRACE && head.subarray(5, 8).every((byte) => byte === 0)) return "safetensors";
  // Field 1, the version of the format; then the producer, the graph or another field of ModelProto.
  if (head[0] === 8 && head[1] > 0 && head[1] < 64 && [0x12, 0x1a, 0x22, 0x3a, 0x42].includes(head[2]))
    return "onnx";
  return undefined;
}

/** An archive tells what it is by its first file; those of PyTorch have a folder around all. */
function zipKind(head: Uint8Array, text: string): FileKind {
  const nameLength = (head[26] ?? 0) + 256 * (head[27] ?? 0);
  const first = text.slice(30, 30 + nameLength);
  if (/^[^/]+\/(data\.pkl|constants\.pkl|byteorder|version|\.format_version|data\/|code\/)/.test(first))
    return "torch";
  if (["metadata.json", "config.json", "model.weights.h5"].includes(first)) return "keras";
  return first.endsWith(".npy") ? "numpy" : "zip";
}

const latin1 = (bytes: Uint8Array) => String.fromCharCode(...bytes);

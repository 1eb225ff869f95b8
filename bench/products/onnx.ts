// The ONNX file of a single matrix product of any sizes. It is so small that its bytes are written here: a field is its
// number with its kind, then a number, or a length with so many bytes (https://protobuf.dev/programming-guides/encoding;
// the numbers of the fields stand in https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).

type Bytes = readonly number[];

const number = (field: number, value: number): Bytes => [field << 3, value];

/** A message or a text, of less than 128 bytes. */
function part(field: number, content: Bytes | string): Bytes {
  const bytes = typeof content === "string" ? [...content].map((letter) => letter.charCodeAt(0)) : content;
  if (bytes.length > 127) throw new RangeError(`onnx: a part of ${bytes.length} bytes`);
  return [(field << 3) | 2, bytes.length, ...bytes];
}

/** `y = MatMul(a, b)`, floats. */
export function matmulModel(): Uint8Array {
  const float = part(2, part(1, number(1, 1)));
  const value = (name: string): Bytes => [...part(1, name), ...float];
  const node = [...part(1, "a"), ...part(1, "b"), ...part(2, "y"), ...part(4, "MatMul")];
  const inputs = [...part(11, value("a")), ...part(11, value("b"))];
  const graph = [...part(1, node), ...part(2, "product"), ...inputs, ...part(12, value("y"))];
  const opset = [...part(1, ""), ...number(2, 13)];
  return Uint8Array.from([...number(1, 8), ...part(7, graph), ...part(8, opset)]);
}

// ONNX files of a single node. They are so small that their bytes are written here: a field is its number with its kind, then
// a number, or a length with so many bytes (https://protobuf.dev/programming-guides/encoding; the numbers of the fields stand
// in https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).

type Bytes = readonly number[] | Uint8Array;

/** Seven bits a byte, the lowest first; the top bit says that more follow. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}

const number = (field: number, value: number): Bytes => [...varint(field << 3), ...varint(value)];

function joined(...parts: readonly Bytes[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A message, a text or bytes. */
function part(field: number, content: Bytes | string): Bytes {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return joined(varint((field << 3) | 2), varint(bytes.length), bytes);
}

/** An attribute of whole numbers: one (AttributeType INT) or a list (INTS). */
function attribute(name: string, value: number | readonly number[]): Bytes {
  const content =
    typeof value === "number"
      ? joined(number(3, value), number(20, 2))
      : joined(...value.map((each) => number(8, each)), number(20, 7));
  return part(5, joined(part(1, name), content));
}

/** A constant of floats. */
function constant(name: string, { data, dims }: Constant): Bytes {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return part(5, joined(...dims.map((dim) => number(1, dim)), number(2, 1), part(8, name), part(9, raw)));
}

interface Constant {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** One node, floats in and out. */
export interface Node {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
  /** Those of the inputs that the file holds; the others are given to it. */
  readonly constants?: Readonly<Record<string, Constant>>;
}

/** The file of a node whose result is `y`. */
export function onnxModel({ operator, inputs, attributes = {}, constants = {} }: Node): Uint8Array {
  const float = part(2, part(1, number(1, 1)));
  const value = (name: string): Bytes => joined(part(1, name), float);
  const node = joined(
    ...inputs.map((name) => part(1, name)),
    part(2, "y"),
    part(4, operator),
    ...Object.entries(attributes).map(([name, each]) => attribute(name, each)),
  );
  const graph = joined(
    part(1, node),
    part(2, operator),
    ...Object.entries(constants).map(([name, each]) => constant(name, each)),
    ...inputs.filter((name) => constants[name] === undefined).map((name) => part(11, value(name))),
    part(12, value("y")),
  );
  const opset = joined(part(1, ""), number(2, 13));
  return joined(number(1, 8), part(7, graph), part(8, opset));
}

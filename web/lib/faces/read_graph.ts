/**
 * Reads a small float network from a .tflite file (a FlatBuffer). The field numbers are those of TensorFlow's schema,
 * tensorflow/compiler/mlir/lite/schema/schema.fbs.
 */

/** The operators that {@link run} knows, by their number in the schema. */
const OPERATORS = {
  0: 'add',
  2: 'concatenate',
  3: 'convolve',
  4: 'convolve depthwise',
  6: 'dequantize',
  17: 'max pool',
  19: 'relu',
  22: 'reshape',
  34: 'pad',
} as const;

export type OperatorKind = (typeof OPERATORS)[keyof typeof OPERATORS];

export interface TensorShape {
  readonly shape: readonly number[];
  /** Null for what is computed. float16 is widened to float32. */
  readonly constant: Float32Array | null;
}

export interface Operator {
  readonly kind: OperatorKind;
  readonly inputs: readonly number[];
  readonly output: number;
  /** Rows and columns from one window to the next; 1 for an operator without windows. */
  readonly stride: number;
}

export interface Graph {
  readonly tensors: readonly TensorShape[];
  readonly operators: readonly Operator[];
  readonly input: number;
  readonly outputs: readonly number[];
}

/** @throws Error if the file is no .tflite file, or has an operator that is not known here. */
export function readGraph(file: ArrayBuffer): Graph {
  const view = new DataView(file);
  if (file.byteLength < 8 || view.getUint32(4, true) !== 0x334c4654) throw new Error('This is no .tflite file');
  const model = new Table(view, view.getUint32(0, true));
  const [graph, ...others] = model.tables(2);
  if (graph === undefined || others.length > 0) throw new Error('The .tflite file does not hold one graph');
  const buffers = model.tables(4);
  const codes = model.tables(1).map((code) => Math.max(code.int8(0), code.int32(3)));
  return {
    tensors: graph.tables(0).map((tensor) => readTensor(tensor, buffers)),
    operators: graph.tables(3).map((operator) => readOperator(operator, codes)),
    input: graph.ints(1)[0]!,
    outputs: graph.ints(2),
  };
}

function readTensor(tensor: Table, buffers: readonly Table[]): TensorShape {
  const bytes = buffers[tensor.int32(2)]!.bytes(0);
  return { shape: tensor.ints(0), constant: bytes.length === 0 ? null : constantOf(bytes, tensor.int8(1)) };
}

/** @param type the schema's number of the element type. */
function constantOf(bytes: Uint8Array<ArrayBuffer>, type: number): Float32Array | null {
  switch (type) {
    case 0:
      return new Float32Array(bytes.buffer);
    case 1:
      return Float32Array.from(new Uint16Array(bytes.buffer), float16);
    // Whole numbers say shapes and paddings, which the tensors' own shapes say already.
    case 2:
      return null;
    default:
      throw new Error(`The .tflite file has constants of type ${type}, which is not known here`);
  }
}

/** The value of a half-precision number (IEEE 754). */
function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function readOperator(operator: Table, codes: readonly number[]): Operator {
  const code = codes[operator.int32(0)]!;
  const kind = OPERATORS[code as keyof typeof OPERATORS];
  if (kind === undefined) throw new Error(`The .tflite file has the operator ${code}, which is not known here`);
  const [output] = operator.ints(2);
  const windowed = kind === 'convolve' || kind === 'convolve depthwise' || kind === 'max pool';
  const options = windowed ? operator.table(4) : null;
  if (options !== null && options.int32(1) !== options.int32(2)) {
    throw new Error(`The .tflite file has the operator ${kind} with two strides, which is not known here`);
  }
  return { kind, inputs: operator.ints(1), output: output!, stride: options?.int32(1) ?? 1 };
}

/** A table of a FlatBuffer. Its fields are read by their number; one that is left out is 0 or empty. */
class Table {
  readonly #view: DataView<ArrayBuffer>;
  readonly #at: number;

  constructor(view: DataView<ArrayBuffer>, at: number) {
    this.#view = view;
    this.#at = at;
  }

  int8(field: number): number {
    const at = this.#field(field);
    return at === 0 ? 0 : this.#view.getInt8(at);
  }

  int32(field: number): number {
    const at = this.#field(field);
    return at === 0 ? 0 : this.#view.getInt32(at, true);
  }

  table(field: number): Table {
    return new Table(this.#view, this.#follow(this.#field(field)));
  }

  tables(field: number): Table[] {
    return this.#vector(field, 4, (at) => new Table(this.#view, this.#follow(at)));
  }

  ints(field: number): number[] {
    return this.#vector(field, 4, (at) => this.#view.getInt32(at, true));
  }

  /** A copy, which begins where its buffer does. */
  bytes(field: number): Uint8Array<ArrayBuffer> {
    const at = this.#field(field);
    if (at === 0) return new Uint8Array();
    const vector = this.#follow(at);
    return new Uint8Array(this.#view.buffer.slice(vector + 4, vector + 4 + this.#view.getUint32(vector, true)));
  }

  #vector<T>(field: number, size: number, read: (at: number) => T): T[] {
    const at = this.#field(field);
    if (at === 0) return [];
    const vector = this.#follow(at);
    return Array.from({ length: this.#view.getUint32(vector, true) }, (_, i) => read(vector + 4 + i * size));
  }

  #follow(at: number): number {
    return at + this.#view.getUint32(at, true);
  }

  /** Where a field's value stands, or 0 if it is left out. */
  #field(field: number): number {
    const directory = this.#at - this.#view.getInt32(this.#at, true);
    const entry = 4 + 2 * field;
    if (entry >= this.#view.getUint16(directory, true)) return 0;
    const offset = this.#view.getUint16(directory + entry, true);
    return offset === 0 ? 0 : this.#at + offset;
  }
}

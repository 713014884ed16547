import type { Graph, Operator } from './read_graph';

type Shape = readonly number[];

/**
 * Runs a graph of {@link readGraph} on the processor, in plain JavaScript. A network as small as a face detector (30
 * million multiply-adds) needs no engine, which would be megabytes to load.
 *
 * @param input float32 in the graph's input shape, NHWC.
 * @returns the outputs in the graph's order.
 */
export function runGraph({ tensors, operators, input, outputs }: Graph, values: Float32Array): Float32Array[] {
  const computed = tensors.map(({ constant }) => constant);
  computed[input] = values;
  for (const operator of operators) {
    const shapes = operator.inputs.map((index) => tensors[index]!.shape);
    const inputs = operator.inputs.map((index) => computed[index] ?? null);
    computed[operator.output] = compute(operator, inputs, shapes, tensors[operator.output]!.shape);
  }
  return outputs.map((index) => computed[index]!);
}

function compute(
  { kind, stride }: Operator,
  [first, second, third]: readonly (Float32Array | null)[],
  [from, by]: readonly Shape[],
  to: Shape,
): Float32Array {
  switch (kind) {
    // Constants were widened when they were read.
    case 'dequantize':
    case 'reshape':
      return first!;
    case 'relu':
      return relu(first!);
    case 'add':
      return add(first!, second!);
    case 'concatenate':
      return concatenate(first!, second!);
    case 'pad':
      return padChannels(first!, from!, to);
    case 'max pool':
      return maxPool(first!, from!, to, stride);
    case 'convolve':
      return by![1] === 1 && stride === 1
        ? mixChannels(first!, from![3]!, second!, third!, to)
        : convolve(first!, from!, second!, by![1]!, third!, to, stride);
    case 'convolve depthwise':
      return convolveDepthwise(first!, from!, second!, by![1]!, third!, to, stride);
  }
}

function relu(values: Float32Array): Float32Array {
  const result = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = Math.max(0, values[i]!);
  return result;
}

function add(a: Float32Array, b: Float32Array): Float32Array {
  const result = new Float32Array(a.length);
  for (let i = 0; i < a.length; i++) result[i] = a[i]! + b[i]!;
  return result;
}

/** Along the second axis of [1, n, k], where one follows the other in memory. */
function concatenate(a: Float32Array, b: Float32Array): Float32Array {
  const result = new Float32Array(a.length + b.length);
  result.set(a);
  result.set(b, a.length);
  return result;
}

/** Adds channels of zeros at the end of each pixel. */
function padChannels(values: Float32Array, from: Shape, to: Shape): Float32Array {
  const [, height, width, channels] = to as [number, number, number, number];
  const narrow = from[3]!;
  const padded = new Float32Array(height * width * channels);
  for (let pixel = 0; pixel < height * width; pixel++) {
    padded.set(values.subarray(pixel * narrow, (pixel + 1) * narrow), pixel * channels);
  }
  return padded;
}

function maxPool(values: Float32Array, from: Shape, to: Shape, stride: number): Float32Array {
  const [, rows, columns, channels] = to as [number, number, number, number];
  const width = from[2]!;
  const result = new Float32Array(rows * columns * channels).fill(-Infinity);
  for (let y = 0; y < rows * stride; y++) {
    for (let x = 0; x < columns * stride; x++) {
      const at = (y * width + x) * channels;
      const cell = (Math.floor(y / stride) * columns + Math.floor(x / stride)) * channels;
      for (let c = 0; c < channels; c++) result[cell + c] = Math.max(result[cell + c]!, values[at + c]!);
    }
  }
  return result;
}

/** A convolution of side 1, most of the work. @param weights [outputs, inputs]. */
function mixChannels(
  values: Float32Array,
  inputs: number,
  weights: Float32Array,
  bias: Float32Array,
  to: Shape,
): Float32Array {
  const outputs = to[3]!;
  const pixels = to[1]! * to[2]!;
  const result = new Float32Array(pixels * outputs);
  // Two outputs and two pixels at a time, so that each value that is read is used twice. All of them are even here.
  for (let pixel = 0; pixel < pixels; pixel += 2) {
    const here = pixel * inputs;
    const next = here + inputs;
    for (let output = 0; output < outputs; output += 2) {
      const one = output * inputs;
      const two = one + inputs;
      let a = bias[output]!;
      let b = bias[output + 1]!;
      let c = a;
      let d = b;
      for (let i = 0; i < inputs; i++) {
        const u = values[here + i]!;
        const v = values[next + i]!;
        const first = weights[one + i]!;
        const second = weights[two + i]!;
        a += u * first;
        b += u * second;
        c += v * first;
        d += v * second;
      }
      const at = pixel * outputs + output;
      result[at] = a;
      result[at + 1] = b;
      result[at + outputs] = c;
      result[at + outputs + 1] = d;
    }
  }
  return result;
}

/** How many pixels of padding TensorFlow puts before the first one: its SAME; with its VALID this is 0 by itself. */
function before(size: number, target: number, side: number, stride: number): number {
  return Math.floor(Math.max(0, (target - 1) * stride + side - size) / 2);
}

/** @param weights [outputs, side, side, inputs]. */
function convolve(
  values: Float32Array,
  from: Shape,
  weights: Float32Array,
  side: number,
  bias: Float32Array,
  to: Shape,
  stride: number,
): Float32Array {
  const [, height, width, inputs] = from as [number, number, number, number];
  const [, rows, columns, outputs] = to as [number, number, number, number];
  const result = new Float32Array(rows * columns * outputs);
  const top = before(height, rows, side, stride);
  const left = before(width, columns, side, stride);
  // The window's values one after another, zeros where it leaves the picture.
  const window = new Float32Array(side * side * inputs);
  let next = 0;
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      window.fill(0);
      for (let i = 0; i < side; i++) {
        const row = y * stride + i - top;
        if (row < 0 || row >= height) continue;
        const start = x * stride - left;
        const [first, last] = [Math.max(0, start), Math.min(width, start + side)];
        const line = values.subarray((row * width + first) * inputs, (row * width + last) * inputs);
        window.set(line, (i * side + first - start) * inputs);
      }
      for (let output = 0; output < outputs; output++) {
        let sum = bias[output]!;
        const weight = output * window.length;
        for (let i = 0; i < window.length; i++) sum += window[i]! * weights[weight + i]!;
        result[next++] = sum;
      }
    }
  }
  return result;
}

/** @param weights [1, side, side, channels]. */
function convolveDepthwise(
  values: Float32Array,
  from: Shape,
  weights: Float32Array,
  side: number,
  bias: Float32Array,
  to: Shape,
  stride: number,
): Float32Array {
  const [, height, width] = from as [number, number, number];
  const [, rows, columns, channels] = to as [number, number, number, number];
  const result = new Float32Array(rows * columns * channels);
  const top = before(height, rows, side, stride);
  const left = before(width, columns, side, stride);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const cell = (y * columns + x) * channels;
      result.set(bias, cell);
      for (let i = 0; i < side; i++) {
        const row = y * stride + i - top;
        if (row < 0 || row >= height) continue;
        for (let j = 0; j < side; j++) {
          const column = x * stride + j - left;
          if (column < 0 || column >= width) continue;
          const at = (row * width + column) * channels;
          const weight = (i * side + j) * channels;
          for (let c = 0; c < channels; c++) result[cell + c]! += values[at + c]! * weights[weight + c]!;
        }
      }
    }
  }
  return result;
}

import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { detectFaces, partsOf } from './detect';
import { type Graph, readGraph } from './read_graph';

let file: ArrayBuffer;
let graph: Graph;

beforeAll(() => {
  file = new Uint8Array(
    readFileSync(new URL('../../node_modules/@mediapipe/face_detection/face_detection_short_range.tflite', import.meta.url)),
  ).buffer;
  graph = readGraph(file);
});

test('reads the whole graph', () => {
  expect(graph.operators.filter(({ kind }) => kind.startsWith('convolve'))).toHaveLength(37);
  expect(graph.outputs.map((index) => graph.tensors[index]!.shape)).toEqual([
    [1, 896, 16],
    [1, 896, 1],
  ]);
});

test('refuses what is no .tflite file, and an operator that it does not know', () => {
  expect(() => readGraph(new ArrayBuffer(100))).toThrow('no .tflite file');
  const other = new DataView(file.slice(0));
  // The first operator code (ADD is 0) is made one that does not exist.
  const at = (offset: number) => offset + other.getUint32(offset, true);
  const field = (table: number, number: number) =>
    table + other.getUint16(table - other.getInt32(table, true) + 4 + 2 * number, true);
  const code = at(at(field(at(0), 1)) + 4);
  other.setInt8(field(code, 0), 99);
  expect(() => readGraph(other.buffer)).toThrow('operator 99');
});

test.each([
  { width: 60, height: 60 },
  { width: 1, height: 300 },
])('finds no face in a flat picture of %o', (size) => {
  const data = new Uint8ClampedArray(size.width * size.height * 4).fill(200);
  expect(detectFaces(graph, { data, ...size }, true)).toEqual([]);
});

test('a narrow strip has no parts', () => expect(partsOf({ width: 512, height: 31 })).toEqual([]));

test.each([
  [{ width: 512, height: 341 }, 6],
  [{ width: 300, height: 300 }, 9],
  [{ width: 100, height: 500 }, 9],
  [{ width: 512, height: 32 }, 31],
])('parts of %o cover it and overlap by half', (size, count) => {
  const parts = partsOf(size);
  expect(parts).toHaveLength(count);
  expect(Math.max(...parts.map(({ x, width }) => x + width))).toBe(size.width);
  expect(Math.max(...parts.map(({ y, height }) => y + height))).toBe(size.height);
  for (const { x, y } of parts) expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
});

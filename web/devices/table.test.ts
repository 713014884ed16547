import { expect, test } from 'vitest';
import type { Row } from './report';
import { cellsOf } from './table';

const ROW: Row = {
  backend: 'litert-wasm',
  threads: 1,
  device: 'processor',
  resolution: 320,
  max_abs: 1.26e-6,
  frames_ms: [12, 8, 100],
  problem: null,
};

test('a timed engine', () => {
  expect(cellsOf(ROW)).toEqual([
    ...['LiteRT.js, WebAssembly, 1 thread', '320'],
    ...['12 ms', '10 ms to 56 ms', '3', '0.000001', 'processor'],
  ]);
});

test('an engine that was not timed', () => {
  const row: Row = { ...ROW, backend: 'webgl', device: 'Adreno', max_abs: null, frames_ms: [], problem: 'it is lost' };
  expect(cellsOf(row)).toEqual(['TensorFlow.js, WebGL', '320', 'it is lost', 'Adreno']);
});

import { readFileSync } from 'node:fs';
import { conv2d, ready, setBackend, sigmoid, tensor3d, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { beforeAll, expect, test, vi } from 'vitest';
import { judge, readReference } from './compare';

const SIDE = 16;
const LIMITS = { max_abs: 2e-3, p99_abs: 5e-4 };
const random = generator(7);
const INPUT = Float32Array.from({ length: SIDE * SIDE * 3 }, () => random() - 0.5);
const KERNEL = Float32Array.from({ length: 27 }, () => random() - 0.5);

beforeAll(async () => {
  const folder = new URL('../../node_modules/@tensorflow/tfjs-backend-wasm/dist/', import.meta.url);
  // The engine fetches its binary, and Node's fetch reads no files.
  vi.stubGlobal('fetch', (address: string) =>
    Promise.resolve(
      new Response(readFileSync(address.replace('file://', '')), { headers: { 'content-type': 'application/wasm' } }),
    ),
  );
  setWasmPaths(folder.pathname);
  setThreadsCount(1);
  await setBackend('wasm');
  await ready();
});

/** A small network on a real engine: TensorFlow.js on wasm. */
function run(): Promise<Float32Array> {
  const d0 = tidy(() =>
    sigmoid(conv2d(tensor3d(INPUT, [SIDE, SIDE, 3]), tensor4d(KERNEL, [3, 3, 3, 1]), 1, 'same')),
  );
  return d0.data() as Promise<Float32Array>;
}

/** The same network, computed pixel by pixel, as a reference file has it. */
function reference(): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(2 * SIDE * SIDE));
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      let sum = 0;
      for (let k = 0; k < 27; k++) {
        const [row, column] = [y + Math.floor(k / 9) - 1, x + (Math.floor(k / 3) % 3) - 1];
        if (row < 0 || row >= SIDE || column < 0 || column >= SIDE) continue;
        sum += KERNEL[k]! * INPUT[(row * SIDE + column) * 3 + (k % 3)]!;
      }
      view.setUint16(2 * (y * SIDE + x), Math.round(65535 / (1 + Math.exp(-sum))), true);
    }
  }
  return view.buffer;
}

const judged = (engine: () => Promise<Float32Array>) => judge(engine, readReference(reference()), LIMITS);

test('a right engine passes, and how far it is from the reference is at most a rounding', async () => {
  const verdict = await judged(run);
  expect(verdict.passed).toBe(true);
  expect(verdict.max_abs).toBeGreaterThan(0);
  expect(verdict.max_abs).toBeLessThan(2e-5);
});

test.each<[string, number, (d0: Float32Array) => Float32Array, number | null]>([
  ['wrong at once', 1, (d0) => d0.toReversed(), 0.1],
  ['wrong from the second run on', 2, (d0) => d0.toReversed(), 0.1],
  ['wrong from the third run on', 3, (d0) => d0.toReversed(), 0.1],
  ['wrong by 0.01', 1, (d0) => d0.map((value) => value + 0.01), 0.01],
  ['wrong in one pixel', 1, (d0) => d0.with(100, d0[100]! + 0.01), 0.01],
  ['wrong by little in many pixels', 1, (d0) => d0.map((value) => value + 1e-3), 1e-3],
  ['no number', 1, (d0) => d0.with(5, NaN), null],
  ['of another size', 1, (d0) => d0.slice(1), null],
])('an engine that is %s fails', async (_, from, spoil, apart) => {
  let count = 0;
  const verdict = await judged(async () => {
    const d0 = await run();
    return ++count >= from ? spoil(d0) : d0;
  });
  expect(verdict.passed).toBe(false);
  expect(count).toBe(from);
  if (apart === null) expect(verdict.max_abs).toBeNull();
  else expect(verdict.max_abs).toBeGreaterThanOrEqual(apart * 0.99);
});

/** Numbers in [0, 1), the same each time. */
function generator(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16807) % 2147483647) / 2147483647;
}

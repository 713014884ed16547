import { expect, test } from 'vitest';
import type { BackendReport } from '../engines/backends';
import { textOf } from '../messages';
import { parseCatalogue } from '../site/catalogue';
import { exampleCatalogue } from '../site/example_catalogue';
import { misfit, peakBytes } from './memory';

const [small, large] = parseCatalogue(exampleCatalogue()).models;
const webgl: BackendReport = {
  name: 'webgl',
  unavailable: null,
  device: 'GPU',
  software: false,
  threads: 1,
  maxTensorBytes: 2 ** 32,
  download: 0,
};
const wasm: BackendReport = { ...webgl, name: 'wasm', maxTensorBytes: Infinity };

test('comes close to what U²-Net was measured to take at 512 × 512', () => {
  expect(peakBytes(large!, 512, wasm) / 386e6).toBeCloseTo(1, 1);
});

test('warns of what would overflow, with figures', () => {
  expect(misfit(small!, 512, webgl, 8)).toBeNull();
  expect(textOf(misfit(large!, 1024, webgl, 4)!)).toMatch(/needs about 2\.\d GB .* about 1\.1 GB/);
});

test('warns of a tensor too large for one buffer', () => {
  expect(textOf(misfit(small!, 1024, { ...webgl, maxTensorBytes: 2 ** 27 }, 32)!)).toMatch(/at most 134 MB in one piece/);
});

test('never warns of TensorFlow.js on the processor, which fails cleanly', () => {
  expect(misfit(large!, 1024, wasm, 0.5)).toBeNull();
});

test('knows beforehand what LiteRT has no room for', () => {
  const litert: BackendReport = { ...wasm, name: 'litert-wasm' };
  expect(misfit(large!, 1024, litert, 0.5)).toBeNull();
  expect(misfit(small!, 1056, litert, 0.5)).toBeNull();
  expect(textOf(misfit(large!, 1056, litert, 64)!)).toMatch(/needs about 2\.2 GB with LiteRT, which has room for 2\.1 GB/);
});

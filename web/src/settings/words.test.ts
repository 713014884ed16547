import { expect, test } from 'vitest';
import type { BackendReport } from '../../lib/engines/backends';
import { parseCatalogue } from '../../lib/site/catalogue';
import { exampleCatalogue } from '../../lib/site/example_catalogue';
import { words } from '../words/words';
import { backendLabel, decimal, downloadNote, modelLabel, products, summary, verdictNote } from './words';

const { models } = parseCatalogue(exampleCatalogue());
const litert: BackendReport = {
  name: 'litert-wasm',
  unavailable: null,
  device: 'processor',
  software: false,
  threads: 2,
  maxTensorBytes: Infinity,
  download: 0,
};

test('says what the models make', () => {
  expect(words.talk.title(products(models))).toBe('Cut-outs and pencil portraits in your browser · Atelier');
  expect(products(models.slice(1))).toEqual(['Pencil portraits']);
  expect(modelLabel(models[0]!, models)).toBe('Cut-outs');
  expect(modelLabel(models[0]!, [...models, { ...models[0]!, name: 'other' }])).toBe('Cut-outs (small)');
});

test.each([
  [300, 'Fast, on your processor.'],
  [3000, 'A few seconds a picture, on your processor: about 3.0 s.'],
  [22_000, 'Slow, on your processor: about 22 s.'],
])('a picture in %d ms: %s', (ms, expected) => {
  expect(summary(litert, ms)).toBe(expected);
});

test('names the engine only beside the place', () => {
  expect(backendLabel(litert)).toBe('Your processor (LiteRT, 2 threads)');
  expect(backendLabel({ ...litert, name: 'webgl', threads: 1 })).toBe('Your graphics chip (TensorFlow.js, WebGL)');
});

test.each([
  [0, '0'],
  [3.7e-5, '0.00004'],
  [4e-5, '0.00004'],
  [4.1e-5, '0.00005'],
  [0.0099, '0.01'],
  [0.5, '0.5'],
])('%d is at most %s', (value, expected) => {
  expect(decimal(value)).toBe(expected);
});

test('says what the check of a device found', () => {
  expect(verdictNote({ passed: true, max_abs: 3.7e-5, ms: 200 }, litert)).toMatch(
    /^Verified on this device: at most 0\.00004 from PyTorch/,
  );
  expect(verdictNote({ passed: false, max_abs: null, ms: 1 }, litert)).toMatch(/wrong results: no numbers/);
  expect(verdictNote(null, litert)).toMatch(/was not checked/);
});

test('counts the engine only where it is still to come', () => {
  expect(downloadNote(1.3e6, 2.9e6)).toBe(
    '4.2 MB to download first: 1.3 MB for the model, 2.9 MB for what computes it. Then they are kept.',
  );
  expect(downloadNote(1.3e6, 0)).toBe('1.3 MB to download first. Then they are kept.');
});

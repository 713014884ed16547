import { expect, test } from 'vitest';
import type { BackendReport } from '../engines/backends';
import { artifactsOf, parseCatalogue } from '../site/catalogue';
import { exampleCatalogue } from '../site/example_catalogue';
import { bestBackend, choose, fidelity, type Machine, offered, startsByItself } from './choose';
import { Speeds } from './speed';

const catalogue = parseCatalogue(exampleCatalogue());
const NO_WISH = { model: null, resolution: null, dtype: null, backend: null };

const webgpu: BackendReport = {
  name: 'webgpu',
  unavailable: null,
  device: 'GPU',
  software: false,
  threads: 1,
  maxTensorBytes: 2 ** 31,
};
const webgl: BackendReport = { ...webgpu, name: 'webgl' };
const wasm: BackendReport = { ...webgpu, name: 'wasm', device: 'processor', threads: 2, maxTensorBytes: Infinity };
const litert: BackendReport = { ...wasm, name: 'litert-wasm' };

function machine(backends: BackendReport[], deviceMemory?: number): Machine {
  return { backends, deviceMemory, speeds: new Speeds({ getItem: () => null, setItem: () => {} }) };
}

test('prefers webgpu, then webgl, then wasm', () => {
  expect(bestBackend([wasm, webgl, webgpu]).name).toBe('webgpu');
  expect(bestBackend([{ ...webgpu, unavailable: 'none' }, webgl, wasm]).name).toBe('webgl');
});

test('prefers wasm to a GPU imitated in software', () => {
  expect(bestBackend([{ ...webgpu, software: true }, { ...webgl, software: true }, wasm]).name).toBe('wasm');
});

test('prefers LiteRT on the processor, unless it has fewer threads there', () => {
  expect(bestBackend([wasm, litert]).name).toBe('litert-wasm');
  expect(bestBackend([wasm, { ...litert, threads: 1 }]).name).toBe('wasm');
  expect(bestBackend([{ ...webgpu, name: 'litert-webgpu' }, webgl, litert]).name).toBe('webgl');
});

test("chooses weights for the backend's engine", () => {
  const here = machine([wasm, litert]);
  const { artifact } = choose(catalogue, here, { ...NO_WISH, model: 'large' });
  expect([artifact.engine, artifact.dtype]).toEqual(['litert', 'float32']);
  const wished = choose(catalogue, here, { ...NO_WISH, backend: 'wasm', dtype: 'float16' }).artifact;
  expect([wished.engine, wished.dtype]).toEqual(['tfjs', 'float32']);
});

test('goes without LiteRT where the site has no models for it, and says so', () => {
  const json = exampleCatalogue() as { models: { resolutions: { dtypes: { engine: string }[] }[] }[] };
  for (const { resolutions } of json.models) {
    for (const entry of resolutions) entry.dtypes = entry.dtypes.filter(({ engine }) => engine === 'tfjs');
  }
  const without = parseCatalogue(json);
  const { backend, artifact } = choose(without, machine([wasm, litert]), { ...NO_WISH, backend: 'litert-wasm' });
  expect([backend.name, artifact.engine]).toEqual(['wasm', 'tfjs']);
  expect(offered([wasm, litert], without.models[0]!).map((entry) => entry.unavailable)).toEqual([
    null,
    'this site does not hold small for LiteRT',
  ]);
});

test('chooses the highest resolution that fits into memory', () => {
  expect(choose(catalogue, machine([webgpu, wasm], 32), NO_WISH).resolution.side).toBe(1024);
  expect(choose(catalogue, machine([webgpu, wasm], 4), NO_WISH).resolution.side).toBe(512);
});

test('chooses none that takes longer than one cares to wait', () => {
  const { resolution, backend } = choose(catalogue, machine([wasm]), NO_WISH);
  expect(backend.name).toBe('wasm');
  expect(resolution.side).toBe(512);
});

test('chooses exact weights where they are small, and else the smallest that look the same', () => {
  expect(choose(catalogue, machine([wasm]), NO_WISH).artifact.dtype).toBe('float32');
  expect(choose(catalogue, machine([wasm]), { ...NO_WISH, model: 'large' }).artifact.dtype).toBe('uint16');
});

test('grants a wish, and ignores one that cannot be granted', () => {
  const wish = { model: 'large', resolution: '192', dtype: 'uint8', backend: 'wasm' };
  const granted = choose(catalogue, machine([webgpu, wasm]), wish);
  expect([granted.model.name, granted.resolution.side, granted.artifact.dtype, granted.backend.name]).toEqual([
    'large',
    192,
    'uint8',
    'wasm',
  ]);
  const ignored = choose(catalogue, machine([{ ...webgpu, unavailable: 'none' }, wasm]), {
    model: 'none',
    resolution: '333',
    dtype: 'int4',
    backend: 'webgpu',
  });
  expect(ignored).toEqual(choose(catalogue, machine([{ ...webgpu, unavailable: 'none' }, wasm]), NO_WISH));
});

test('starts by itself only what is small to download and soon done', () => {
  const here = machine([wasm]);
  const quick = choose(catalogue, here, { ...NO_WISH, resolution: '192' });
  expect(startsByItself(quick, here, 4.5e6)).toBe(true);
  expect(startsByItself(quick, here, 176e6)).toBe(false);
  expect(startsByItself(choose(catalogue, here, { ...NO_WISH, resolution: '1024' }), here, 0)).toBe(false);
});

test('tells weight formats apart by their parity', () => {
  const artifacts = artifactsOf(catalogue.models[0]!.resolutions[0]!, 'tfjs');
  expect(artifacts.map(fidelity)).toEqual(['same to the eye', 'same to the eye', 'visibly different']);
});

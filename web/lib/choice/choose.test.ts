import { expect, test } from 'vitest';
import type { BackendReport } from '../engines/backends';
import { said } from '../messages';
import { artifactsOf, parseCatalogue } from '../site/catalogue';
import { exampleCatalogue } from '../site/example_catalogue';
import { bestBackend, choose, fidelity, isExperimental, type Machine, offered, startsByItself, without } from './choose';
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
  download: 0,
};
const webgl: BackendReport = { ...webgpu, name: 'webgl' };
const wasm: BackendReport = { ...webgpu, name: 'wasm', device: 'processor', threads: 2, maxTensorBytes: Infinity };
const litert: BackendReport = { ...wasm, name: 'litert-wasm' };

const best = (backends: BackendReport[], model = catalogue.models[0]!) => bestBackend(backends, model, machine([]));

function machine(backends: BackendReport[], deviceMemory?: number): Machine {
  return { backends, deviceMemory, bytesPerSecond: 2e6, speeds: new Speeds({ getItem: () => null, setItem: () => {} }) };
}

test('prefers webgpu, then webgl, then wasm', () => {
  expect(best([wasm, webgl, webgpu]).name).toBe('webgpu');
  expect(best([{ ...webgpu, unavailable: said('noWebgpu') }, webgl, wasm]).name).toBe('webgl');
});

test('prefers wasm to a GPU imitated in software', () => {
  expect(best([{ ...webgpu, software: true }, { ...webgl, software: true }, wasm]).name).toBe('wasm');
});

test('prefers LiteRT on the processor, unless it has fewer threads there', () => {
  expect(best([wasm, litert]).name).toBe('litert-wasm');
  expect(best([wasm, { ...litert, threads: 1 }]).name).toBe('wasm');
  expect(best([{ ...webgpu, name: 'litert-webgpu' }, webgl, litert]).name).toBe('webgl');
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
    said('notHeld', 'small', 'LiteRT'),
  ]);
});

test("chooses the model's own resolution, however fast and large the machine", () => {
  const { resolution, model } = choose(catalogue, machine([webgpu, wasm], 32), NO_WISH);
  expect(resolution.side).toBe(320);
  expect(model.resolutions.filter((entry) => isExperimental(model, entry)).map(({ side }) => side)).toEqual([512, 1024]);
});

test('chooses a lower one where the memory is too small or the machine too slow', () => {
  expect(choose(catalogue, machine([webgpu, wasm], 0.5), { ...NO_WISH, backend: 'webgpu' }).resolution.side).toBe(192);
  const slow = machine([{ ...wasm, threads: 1 }]);
  expect(choose(catalogue, slow, NO_WISH).resolution.side).toBe(320);
  expect(choose(catalogue, slow, { ...NO_WISH, model: 'large' }).resolution.side).toBe(192);
});

test('chooses the smallest where the site has only larger ones than its own', () => {
  const json = exampleCatalogue() as { models: { own_resolution: number }[] };
  json.models[0]!.own_resolution = 100;
  expect(choose(parseCatalogue(json), machine([webgpu], 32), NO_WISH).resolution.side).toBe(192);
});

test('counts the download of an engine against its speed', () => {
  const fetched = { ...litert, download: 3e6 };
  const small = { ...catalogue.models[0]!, resolutions: [{ side: 320, multiply_adds: 4e9, artifacts: [] }] };
  expect(best([wasm, litert], small).name).toBe('litert-wasm');
  expect(best([wasm, fetched], small).name).toBe('wasm');
  expect(best([wasm, fetched], catalogue.models[1]).name).toBe('litert-wasm');
});

test('goes on without a backend that computes wrong results', () => {
  const here = without(machine([webgpu, webgl, wasm]), 'webgpu', said('wrongValues', 'webgpu'));
  expect(choose(catalogue, here, { ...NO_WISH, backend: 'webgpu' }).backend.name).toBe('webgl');
  expect(here.backends[0]!.unavailable).toEqual(said('wrongValues', 'webgpu'));
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
  const ignored = choose(catalogue, machine([{ ...webgpu, unavailable: said('noWebgpu') }, wasm]), {
    model: 'none',
    resolution: '333',
    dtype: 'int4',
    backend: 'webgpu',
  });
  expect(ignored).toEqual(choose(catalogue, machine([{ ...webgpu, unavailable: said('noWebgpu') }, wasm]), NO_WISH));
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

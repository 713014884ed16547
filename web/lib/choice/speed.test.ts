import { expect, test } from 'vitest';
import type { BackendReport } from '../engines/backends';
import { parseCatalogue } from '../site/catalogue';
import { exampleCatalogue } from '../site/example_catalogue';
import { paceOf, Speeds } from './speed';

const wasm: BackendReport = {
  name: 'wasm',
  unavailable: null,
  device: '',
  software: false,
  threads: 2,
  maxTensorBytes: Infinity,
  download: 0,
};

function storage(content: string | null = null) {
  const values = new Map(content === null ? [] : [['speeds', content]]);
  return {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
  };
}

test('starts from typical figures, which grow with the threads', () => {
  const speeds = new Speeds(storage());
  const two = speeds.estimate(wasm, 'small', 20e9);
  expect(two.measured).toBe(false);
  expect(speeds.estimate({ ...wasm, threads: 1 }, 'small', 20e9).ms).toBeCloseTo(2 * two.ms);
});

test('scales a measured run to other resolutions of the same model on the same backend', () => {
  const speeds = new Speeds(storage());
  speeds.record(wasm, 'small', 20e9, 1000);
  expect(speeds.estimate(wasm, 'small', 40e9)).toEqual({ ms: 2000, measured: true });
  expect(speeds.estimate(wasm, 'large', 40e9).measured).toBe(false);
  expect(speeds.estimate({ ...wasm, threads: 1 }, 'small', 40e9).measured).toBe(false);
});

test('remembers between visits', () => {
  const kept = storage();
  new Speeds(kept).record(wasm, 'small', 20e9, 500);
  expect(new Speeds(kept).estimate(wasm, 'small', 20e9)).toEqual({ ms: 500, measured: true });
});

test.each(['', 'null', '[1]', '{"wasm/2/small": "fast"}', '{"wasm/2/small": 0}'])(
  'ignores a spoilt memory: %s',
  (content) => {
    expect(new Speeds(storage(content)).estimate(wasm, 'small', 20e9).measured).toBe(false);
  },
);

test('keeps the speed of int8 apart, because it computes something else', () => {
  const model = parseCatalogue(exampleCatalogue()).models[0]!;
  const of = (dtype: string) => model.resolutions[0]!.artifacts.find((artifact) => artifact.dtype === dtype)!;
  expect(paceOf({ model, artifact: of('float32') })).toBe(paceOf({ model, artifact: of('float16') }));
  expect(paceOf({ model, artifact: of('int8') })).not.toBe(paceOf({ model, artifact: of('float32') }));
});

import { expect, test } from 'vitest';
import { artifactsOf, type Catalogue, filesOf, parseCatalogue } from './catalogue';
import { exampleCatalogue } from './example_catalogue';

test('accepts a valid catalogue', () => {
  const catalogue: Catalogue = parseCatalogue(exampleCatalogue());
  expect(catalogue.models[0]?.name).toBe('small');
  expect(filesOf(catalogue.models[0]!.resolutions[0]!.artifacts[0]!).map((file) => file.url)).toEqual([
    'models/small/192/float32/model.json',
    'weights/a.bin',
  ]);
});

test('keeps the engines apart', () => {
  const resolution = parseCatalogue(exampleCatalogue()).models[0]!.resolutions[0]!;
  expect(artifactsOf(resolution, 'tfjs').map((entry) => entry.dtype)).toEqual(['float32', 'uint16', 'uint8']);
  expect(artifactsOf(resolution, 'litert').map((entry) => entry.dtype)).toEqual(['float32', 'float16', 'int8']);
});

test.each<[string, (json: Json) => void]>([
  ['version', (json) => (json.version = 1)],
  ['worker', (json) => delete json.worker],
  ['worker.url', (json) => (json.worker.url = 'https://example.org/worker.js')],
  ['models', (json) => (json.models = [])],
  ['models[0].task', (json) => (json.models[0].task = 'sketch')],
  ['models[0].own_resolution', (json) => delete json.models[0].own_resolution],
  ['models[0].probe', (json) => delete json.models[0].probe],
  ['models[0].probe.limits.p99_abs', (json) => (json.models[0].probe.limits.p99_abs = null)],
  ['models[0].probe.reference.sha256', (json) => (json.models[0].probe.reference.sha256 = 'A')],
  ['models[0].notice', (json) => delete json.models[0].notice],
  ['models[0].resolutions[0].multiply_adds', (json) => (json.models[0].resolutions[0].multiply_adds = '1')],
  ['models[0].resolutions[0].dtypes[0].engine', (json) => delete json.models[0].resolutions[0].dtypes[0].engine],
  ['models[0].resolutions[0].dtypes[0].dtype', (json) => (json.models[0].resolutions[0].dtypes[0].dtype = 'int4')],
  [
    'models[0].resolutions[0].dtypes[0].model.sha256',
    (json) => (json.models[0].resolutions[0].dtypes[0].model.sha256 = 'A'),
  ],
  [
    'models[0].resolutions[0].dtypes[0].weights[0].bytes',
    (json) => (json.models[0].resolutions[0].dtypes[0].weights[0].bytes = 0),
  ],
  ['models[0].resolutions[0].dtypes[0].weights', (json) => (json.models[0].resolutions[0].dtypes[0].weights = {})],
  [
    'models[0].resolutions[0].dtypes[0].parity.ssim',
    (json) => (json.models[0].resolutions[0].dtypes[0].parity.ssim = null),
  ],
  ['samples[0].url', (json) => (json.samples[0].url = 'https://example.org/a.png')],
  ['samples[0].url', (json) => (json.samples[0].url = '../a.png')],
  ['samples[0].thumbnail', (json) => delete json.samples[0].thumbnail],
])('names %s when it is not as it should be', (path, spoil) => {
  const json = exampleCatalogue() as Json;
  spoil(json);
  expect(() => parseCatalogue(json)).toThrow(`: ${path} should be `);
});

test.each([null, [], 'catalogue', 1])('refuses %j', (json) => {
  expect(() => parseCatalogue(json)).toThrow('catalogue should be an object');
});

/** A document of any shape, which a test damages. */
type Json = any;

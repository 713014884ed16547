import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Artifact } from '../../site/catalogue';
import { FileStore, sha256 } from '../../site/file_store';
import { readTflite } from './tflite';

const base = new URL('https://example.org/site/catalogue.json');
const FILE = 'headWEIGHTS-ONEmiddleWEIGHTS-TWOend';
const PIECES = [4, 11, 6, 11, 3];
const SKELETON = 'headmiddleend';
/** Cut at a place where no piece ends. */
const WEIGHTS = ['WEIGHTS-', 'ONEWEIGHTS-T', 'WO'];

/** What the server holds, by address. */
let served: Map<string, ArrayBuffer>;

beforeEach(() => {
  served = new Map();
  vi.stubGlobal('caches', { open: () => Promise.reject(new Error('none is granted')) });
  vi.stubGlobal('fetch', (address: URL) => Promise.resolve(new Response(served.get(address.href)!.slice())));
});

afterEach(() => vi.unstubAllGlobals());

function bytes(text: string): ArrayBuffer {
  return new TextEncoder().encode(text).buffer;
}

async function serve(url: string, content: ArrayBuffer) {
  served.set(new URL(url, base).href, content);
  return { url, sha256: await sha256(content), bytes: content.byteLength };
}

/** A .tflite file in parts, as share_weights writes it. `change` damages the recipe before it is served. */
async function artifact(change: (recipe: Record<string, unknown>) => void = () => {}): Promise<Artifact> {
  const skeleton = await serve('weights/skeleton.bin', bytes(SKELETON));
  const weights = await Promise.all(WEIGHTS.map((text, index) => serve(`weights/${index}.bin`, bytes(text))));
  const recipe = {
    bytes: FILE.length,
    sha256: await sha256(bytes(FILE)),
    skeleton: [`../../../../${skeleton.url}`],
    weights: weights.map((file) => `../../../../${file.url}`),
    pieces: PIECES,
  };
  change(recipe);
  return {
    engine: 'litert',
    dtype: 'float32',
    model: await serve('models/small/64/litert-float32/recipe.json', bytes(JSON.stringify(recipe))),
    weights: [skeleton, ...weights],
    parity: { max_abs: 0, p99_abs: 0, psnr_db: 100, ssim: 1 },
  };
}

async function read(entry: Artifact) {
  return readTflite(new FileStore(base), base, entry, () => {});
}

test('puts the file together from its parts', async () => {
  const entry = await artifact();
  const { model, fetched } = await read(entry);
  expect(new TextDecoder().decode(model)).toBe(FILE);
  expect(fetched).toBe(FILE.length + entry.model.bytes);
});

test.each<[string, (recipe: Record<string, unknown>) => void]>([
  ['a piece more than there are parts', (recipe) => (recipe['pieces'] = [...PIECES, 1])],
  ['a piece too few', (recipe) => (recipe['pieces'] = PIECES.slice(0, -1))],
  ['a piece that is too long', (recipe) => (recipe['pieces'] = [5, 11, 6, 11, 3])],
  ['a file that is longer', (recipe) => (recipe['bytes'] = FILE.length + 1)],
  ['a part that is left over', (recipe) => (recipe['bytes'] = FILE.length - 3)],
])('refuses %s', async (_, change) => {
  await expect(read(await artifact(change))).rejects.toThrow('its parts do not fit the recipe');
});

test('refuses a whole that is not the file that was checked', async () => {
  const entry = await artifact((recipe) => (recipe['pieces'] = [4, 11, 5, 11, 4]));
  await expect(read(entry)).rejects.toThrow('put together, it is not the file that was checked');
});

test('refuses a part that the catalogue does not name', async () => {
  const entry = await artifact((recipe) => (recipe['skeleton'] = ['../../../../weights/other.bin']));
  await expect(read(entry)).rejects.toThrow('the recipe names ../../../../weights/other.bin');
});

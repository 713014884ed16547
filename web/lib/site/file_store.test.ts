import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { allFiles, parseCatalogue } from './catalogue';
import { exampleCatalogue } from './example_catalogue';
import { FileStore, folderOf, sha256 } from './file_store';

const base = new URL('https://example.org/site/catalogue.json');
const one = new TextEncoder().encode('one').buffer;
const three = new TextEncoder().encode('three').buffer;

/** The server's files, by address. A test may damage them. */
let served: Map<string, ArrayBuffer>;
let fetched: string[];

beforeEach(() => {
  served = new Map([
    ['https://example.org/site/weights/one.bin', one],
    ['https://example.org/site/weights/three.bin', three],
  ]);
  fetched = [];
  vi.stubGlobal('origin', 'https://example.org');
  vi.stubGlobal('caches', new MemoryCaches());
  vi.stubGlobal('fetch', (address: URL) => {
    fetched.push(address.href);
    const content = served.get(address.href);
    return Promise.resolve(content ? new Response(content.slice()) : new Response('', { status: 404 }));
  });
});

afterEach(() => vi.unstubAllGlobals());

async function files() {
  return [
    { url: 'weights/one.bin', sha256: await sha256(one), bytes: one.byteLength },
    { url: 'weights/three.bin', sha256: await sha256(three), bytes: three.byteLength },
  ];
}

test('hashes', async () => {
  expect(await sha256(new ArrayBuffer())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

test('fetches files in order, and from then on takes them from the cache', async () => {
  const refs = await files();
  const store = new FileStore(base);
  expect(await store.missingBytes(refs)).toBe(8);
  expect(await store.read(refs)).toEqual({ contents: [one, three], fetched: 8 });
  expect(await store.missingBytes(refs)).toBe(0);
  expect(await new FileStore(base).read(refs)).toEqual({ contents: [one, three], fetched: 0 });
  expect(fetched).toHaveLength(2);
});

test('reports progress in bytes up to the whole', async () => {
  const onProgress = vi.fn();
  await new FileStore(base).read(await files(), onProgress);
  expect(onProgress).toHaveBeenNthCalledWith(1, { loaded: 0, total: 8, fetched: 0 });
  expect(onProgress).toHaveBeenLastCalledWith({ loaded: 8, total: 8, fetched: 8 });
});

test('resumes after an interruption with what is missing', async () => {
  const refs = await files();
  served.delete('https://example.org/site/weights/three.bin');
  await expect(new FileStore(base).read(refs)).rejects.toMatchObject({ code: 'download-interrupted' });
  served.set('https://example.org/site/weights/three.bin', three);
  expect((await new FileStore(base).read(refs)).fetched).toBe(5);
});

test.each([
  ['another content of the same length', 'eerht'],
  ['too much', 'three and more'],
  ['too little', 'th'],
])('refuses %s, and does not keep it', async (_, content) => {
  const refs = await files();
  served.set('https://example.org/site/weights/three.bin', new TextEncoder().encode(content).buffer);
  await expect(new FileStore(base).read(refs)).rejects.toMatchObject({
    code: 'file-corrupt',
    message: expect.stringContaining('part 2 of 2') as string,
  });
  expect(await new FileStore(base).missingBytes(refs)).toBeGreaterThanOrEqual(5);
});

test('does not trust the cache either', async () => {
  const [ref] = await files();
  const cache = await caches.open('files /site/');
  await cache.put(`/sha256/${ref!.sha256}`, new Response('two'));
  expect(await new FileStore(base).read([ref!])).toEqual({ contents: [one], fetched: 3 });
});

test('works without a cache', async () => {
  vi.stubGlobal('caches', { open: () => Promise.reject(new DOMException('no', 'SecurityError')) });
  expect((await new FileStore(base).read(await files())).fetched).toBe(8);
  expect(await new FileStore(base).missingBytes(await files())).toBe(8);
});

test('forgets what the catalogue no longer names', async () => {
  const cache = await caches.open('files /site/');
  await cache.put(`/sha256/${'a'.repeat(64)}`, new Response('named'));
  await cache.put(`/sha256/${'e'.repeat(64)}`, new Response('not named'));
  await new FileStore(base).keepOnly(allFiles(parseCatalogue(exampleCatalogue())));
  expect((await cache.keys()).map((request) => request.url)).toEqual([`https://example.org/sha256/${'a'.repeat(64)}`]);
});

test.each([
  ['https://example.org', '/site/'],
  ['https://elsewhere.example', 'https://example.org/site/'],
])('keeps the files of a site apart from those of others (a page of %s)', (origin, folder) => {
  vi.stubGlobal('origin', origin);
  expect(folderOf(base)).toBe(folder);
});

/** The part of CacheStorage that the store uses, in memory. */
class MemoryCaches {
  readonly #caches = new Map<string, MemoryCache>();

  open(name: string): Promise<MemoryCache> {
    const cache = this.#caches.get(name) ?? new MemoryCache();
    this.#caches.set(name, cache);
    return Promise.resolve(cache);
  }
}

class MemoryCache {
  readonly #contents = new Map<string, ArrayBuffer>();

  match(key: string): Promise<Response | undefined> {
    const content = this.#contents.get(address(key));
    return Promise.resolve(content && new Response(content.slice()));
  }

  async put(key: string, response: Response): Promise<void> {
    this.#contents.set(address(key), await response.arrayBuffer());
  }

  delete(key: string | Request): Promise<boolean> {
    return Promise.resolve(this.#contents.delete(address(key)));
  }

  keys(): Promise<Request[]> {
    return Promise.resolve([...this.#contents.keys()].map((url) => new Request(url)));
  }
}

function address(key: string | Request): string {
  return typeof key === 'string' ? new URL(key, base).href : key.url;
}

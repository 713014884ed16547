import { Reason, reasonOf, U2NetError } from '../errors';
import { type Said, said } from '../messages';
import type { FileRef } from './catalogue';

/**
 * How many files are fetched at once on a fast line: enough to use the bandwidth, few enough to lose little when
 * cancelled. It begins with one, and each that took less than {@link QUICK_MS} lets one more begin. On a slow line the
 * files thus come one after another, and what is finished is kept.
 */
const PARALLEL = 6;
const QUICK_MS = 1000;

/** `bytes` of `total` have arrived, and `fetched` of them came over the network. */
export interface Received {
  readonly loaded: number;
  readonly total: number;
  readonly fetched: number;
}

/**
 * The site's files that are named by their content. They are kept in the Cache API under their digest. Two files with
 * the same content are one entry, so resolutions that share weights download them once. After an interrupted download,
 * finished files are not fetched again.
 */
export class FileStore {
  readonly #base: URL;
  #opened: Promise<Cache | null> | undefined;

  /** @param base the address of the catalogue, to which the files' addresses are relative. */
  constructor(base: URL) {
    this.#base = base;
  }

  /**
   * Returns the files' contents in the given order, from the cache or else over the network. Every content is checked
   * against its digest, wherever it comes from. Contents from the network are then cached.
   *
   * @throws U2NetError `download-interrupted`, or `file-corrupt` for a file that is not the one named in the catalogue.
   */
  async read(
    files: readonly FileRef[],
    onProgress: (progress: Received) => void = () => {},
  ): Promise<{ contents: ArrayBuffer[]; fetched: number }> {
    const total = sum(files);
    let loaded = 0;
    let fetched = 0;
    const report = () => onProgress({ loaded, total, fetched });
    const contents = new Array<ArrayBuffer>(files.length);

    const missing: number[] = [];
    for (const [index, file] of files.entries()) {
      const cached = await this.#readCached(file);
      if (cached === null) {
        missing.push(index);
      } else {
        contents[index] = cached;
        loaded += file.bytes;
      }
    }
    report();

    const runs: Promise<void>[] = [];
    const fetchNext = async () => {
      for (let index = missing.shift(); index !== undefined; index = missing.shift()) {
        const file = files[index]!;
        const begun = performance.now();
        const part = files.length > 1 ? said('partOf', index + 1, files.length) : said('aFile');
        const content = await this.#fetch(file, part, (bytes) => {
          loaded += bytes;
          fetched += bytes;
          report();
        });
        await this.#keep(file, content);
        contents[index] = content;
        if (performance.now() - begun < QUICK_MS && runs.length < PARALLEL && missing.length > 0) begin();
      }
    };
    let failure: unknown;
    const begin = () =>
      runs.push(
        fetchNext().catch((cause: unknown) => {
          // Start no more downloads. Those that are running are kept, so that the next attempt can resume from them.
          missing.length = 0;
          failure ??= cause;
        }),
      );
    begin();
    // More may begin while these are under way.
    for (let index = 0; index < runs.length; index++) await runs[index];
    if (failure !== undefined) throw failure;
    return { contents, fetched };
  }

  /** How many bytes of the files are not cached and must come over the network. */
  async missingBytes(files: readonly FileRef[]): Promise<number> {
    const cache = await this.#cache();
    if (cache === null) return sum(files);
    const cached = await Promise.all(files.map((file) => cache.match(this.#keyOf(file))));
    return sum(files.filter((_, index) => cached[index] === undefined));
  }

  /** Deletes the files that are not among these. */
  async keepOnly(files: readonly FileRef[]): Promise<void> {
    const cache = await this.#cache();
    if (cache === null) return;
    const named = new Set(files.map((file) => this.#keyOf(file)));
    for (const request of await cache.keys()) {
      if (!named.has(request.url)) await cache.delete(request);
    }
  }

  /**
   * The cache, or null if the browser allows no cache (private windows of some browsers). Then everything is fetched.
   */
  #cache(): Promise<Cache | null> {
    this.#opened ??= caches.open(`files ${folderOf(this.#base)}`).catch(() => null);
    return this.#opened;
  }

  #keyOf(file: FileRef): string {
    return new URL(`/sha256/${file.sha256}`, this.#base).href;
  }

  async #readCached(file: FileRef): Promise<ArrayBuffer | null> {
    const cache = await this.#cache();
    const response = await cache?.match(this.#keyOf(file));
    if (!response) return null;
    const content = await response.arrayBuffer();
    if ((await sha256(content)) === file.sha256) return content;
    await cache?.delete(this.#keyOf(file));
    return null;
  }

  async #keep(file: FileRef, content: ArrayBuffer): Promise<void> {
    const cache = await this.#cache();
    // A full disk must not stop the drawing. The file is fetched again next time.
    await cache?.put(this.#keyOf(file), new Response(content)).catch(() => {});
  }

  async #fetch(file: FileRef, part: Said, onBytes: (bytes: number) => void): Promise<ArrayBuffer> {
    const content = new Uint8Array(file.bytes);
    let length = 0;
    try {
      // Bypass the browser's own cache: a second copy there would double the space and might be damaged.
      const response = await fetch(new URL(file.url, this.#base), { cache: 'no-store' });
      if (!response.ok) throw new Reason(said('serverAnswered', response.status));
      if (response.body === null) throw new Reason(said('serverSentNothing'));
      const reader = response.body.getReader();
      for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
        if (length + chunk.value.length > content.length) throw corrupt(part);
        content.set(chunk.value, length);
        length += chunk.value.length;
        onBytes(chunk.value.length);
      }
    } catch (cause) {
      if (cause instanceof U2NetError) throw cause;
      throw new U2NetError('download-interrupted', said('downloadStopped', part, reasonOf(cause)), { cause });
    }
    if (length !== content.length || (await sha256(content.buffer)) !== file.sha256) throw corrupt(part);
    return content.buffer;
  }
}

/**
 * The folder of a site's file. A cache is named after it. So sites below different paths, and on different origins, have
 * separate caches, and pruning one does not empty another.
 */
export function folderOf(file: URL): string {
  const folder = new URL('.', file);
  return folder.origin === globalThis.origin ? folder.pathname : folder.href;
}

/** SHA-256 in lower-case hexadecimal digits. */
export async function sha256(content: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', content));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function sum(files: readonly FileRef[]): number {
  return files.reduce((total, file) => total + file.bytes, 0);
}

function corrupt(part: Said): U2NetError {
  return new U2NetError('file-corrupt', said('damaged', part));
}

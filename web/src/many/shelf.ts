import { PREFIX } from './sweep';

/** A download that has begun may read its file for so long. */
const READ_MS = 60_000;

/**
 * Keeps files on the disk, in a folder of this page, so that memory does not grow with their number. Where the disk takes none (a
 * private window, a full disk), a file stays in memory.
 */
export class Shelf {
  #folder: Promise<FileSystemDirectoryHandle> | undefined;
  #count = 0;

  /** @param open gives the content from its beginning, as often as it is called. */
  async keep(open: () => ReadableStream<Uint8Array<ArrayBuffer>>): Promise<Blob> {
    try {
      const folder = await (this.#folder ??= newFolder());
      const handle = await folder.getFileHandle(`${++this.#count}`, { create: true });
      await open().pipeTo(await handle.createWritable());
      return await handle.getFile();
    } catch {
      return new Response(open()).blob();
    }
  }

  /** Removes files that nobody needs any more. A download of them that has begun may still end. */
  discard(files: readonly Blob[]): void {
    const names = files.flatMap((file) => (file instanceof File ? file.name : []));
    if (names.length === 0) return;
    setTimeout(() => {
      // What cannot be removed now is removed by a later visit.
      void Promise.allSettled(names.map(async (name) => (await this.#folder)?.removeEntry(name)));
    }, READ_MS);
  }
}

/** A lock of the same name says that the page is open. The browser frees it when the page closes, however that happens. */
async function newFolder(): Promise<FileSystemDirectoryHandle> {
  const name = `${PREFIX}${crypto.randomUUID()}`;
  await new Promise<void>((resolve, reject) => {
    const held = () => {
      resolve();
      return new Promise<never>(() => {});
    };
    navigator.locks.request(name, held).catch(reject);
  });
  return (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true });
}

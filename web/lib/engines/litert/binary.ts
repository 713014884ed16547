/**
 * LiteRT's WebAssembly. It is fetched when LiteRT is first used and then kept in the Cache API. It has nine megabytes,
 * too many to load with the page for people who never use it. The file's name contains a hash of its content.
 */
import { folderOf } from '../../site/file_store';

/** The binary, from the cache or else over the network. @throws Error if neither has it. */
export async function readBinary(address: URL): Promise<ArrayBuffer> {
  const kept = await (await open(address))?.match(address);
  if (kept !== undefined) return kept.arrayBuffer();
  const response = await fetch(address, { cache: 'no-store' });
  if (!response.ok) throw new Error(`the server answered ${response.status} for ${address.pathname}`);
  return response.arrayBuffer();
}

/** Keeps a binary that works, and deletes older ones. */
export async function keepBinary(address: URL, content: ArrayBuffer): Promise<void> {
  const cache = await open(address);
  if (cache === null || (await cache.match(address)) !== undefined) return;
  for (const request of await cache.keys()) await cache.delete(request);
  // A full disk must not stop the drawing. The file is fetched again next time.
  await cache.put(address, new Response(content)).catch(() => {});
}

/** Deletes a binary that does not work, so that the next attempt fetches it again. */
export async function forgetBinary(address: URL): Promise<void> {
  await (await open(address))?.delete(address);
}

/** The cache, or null if the browser allows no cache. Each site below a path of the origin has its own. */
function open(address: URL): Promise<Cache | null> {
  return caches.open(`litert ${folderOf(address)}`).catch(() => null);
}

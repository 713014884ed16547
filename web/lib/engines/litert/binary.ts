/**
 * LiteRT's WebAssembly, kept in the Cache API by whoever used it once: nine megabytes are too many to fetch with the page
 * for those who never do. The file's name holds a hash of its content.
 */

/** The binary, from the cache or else over the network. @throws Error if it cannot be had. */
export async function readBinary(address: URL): Promise<ArrayBuffer> {
  const kept = await (await open(address))?.match(address);
  if (kept !== undefined) return kept.arrayBuffer();
  const response = await fetch(address, { cache: 'no-store' });
  if (!response.ok) throw new Error(`the server answered ${response.status} for ${address.pathname}`);
  return response.arrayBuffer();
}

/** Keeps a binary that has proved to work, and forgets older ones. */
export async function keepBinary(address: URL, content: ArrayBuffer): Promise<void> {
  const cache = await open(address);
  if (cache === null || (await cache.match(address)) !== undefined) return;
  for (const request of await cache.keys()) await cache.delete(request);
  // A full disk must not stop the drawing: the file is then fetched again next time.
  await cache.put(address, new Response(content)).catch(() => {});
}

/** Forgets a binary that does not work: the next attempt fetches it anew. */
export async function forgetBinary(address: URL): Promise<void> {
  await (await open(address))?.delete(address);
}

/** The cache, or null where the browser grants none; sites below different paths of one origin keep apart. */
function open(address: URL): Promise<Cache | null> {
  return caches.open(`litert ${new URL('.', address).pathname}`).catch(() => null);
}

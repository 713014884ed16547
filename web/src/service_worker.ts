/**
 * Keeps the page itself for offline use. The page keeps the models under their digests (see file_store.ts), and they
 * pass through here unchanged. Answers keep the server's headers, so the page stays cross-origin isolated.
 */
/** The files of the page besides index.html, filled in by the build. */
declare const __SHELL__: readonly string[];
/** Files of the page that only some visitors use, filled in by the build. */
declare const __RARE__: readonly string[];

const worker = self as unknown as ServiceWorkerGlobalScope;

const root = new URL(worker.registration.scope).pathname;
const prefix = `shell ${root} `;
/** File names contain a hash of the content, so the list of names identifies the version. */
const shell = __SHELL__;
const rare = __RARE__;
const cacheName = prefix + hash([...shell, ...rare].join());

worker.addEventListener('install', (event) => {
  event.waitUntil(keepAll());
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(forgetOlder().then(() => worker.clients.claim()));
});

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET' || !request.url.startsWith(worker.registration.scope)) return;
  const path = new URL(request.url).pathname.slice(root.length);
  if (path === '' || path === 'index.html') event.respondWith(networkFirst(request, './'));
  else if (/^catalogue\..*json$/.test(path) || path.startsWith('samples/'))
    event.respondWith(networkFirst(request, request));
  else if (shell.includes(path)) event.respondWith(cacheFirst(request));
  else if (rare.includes(path)) event.respondWith(keptOnceUsed(request));
});

/**
 * Keeps the files that one index.html leads to. If index.html is of another build, a release is just being published.
 * The browser tries again on the next visit.
 */
async function keepAll(): Promise<void> {
  const cache = await caches.open(cacheName);
  const page = await fetch('./', { cache: 'no-cache' });
  const html = await page.clone().text();
  const address = /<meta name="catalogue" content="([^"]+)"/.exec(html)?.[1];
  if (!page.ok || address === undefined || !isOfThisBuild(html)) throw new Error('The page is of another build');
  await cache.put('./', page);
  await cache.addAll([address, ...shell]);
  const catalogue = (await (await cache.match(address))?.json()) as {
    samples: { url: string; thumbnail: { url: string } }[];
  };
  await cache.addAll(catalogue.samples.flatMap((sample) => [sample.url, sample.thumbnail.url]));
}

/** Returns the newest answer. Offline, the cached answer under `key` is used instead. */
async function networkFirst(request: Request, key: RequestInfo): Promise<Response> {
  const cache = await caches.open(cacheName);
  try {
    const response = await fetch(request);
    if (response.ok && (key !== './' || isOfThisBuild(await response.clone().text())))
      await cache.put(key, response.clone());
    return response;
  } catch (cause) {
    const cached = await cache.match(key, { ignoreVary: true });
    if (cached === undefined) throw cause;
    return cached;
  }
}

/** Whether all files that a copy of index.html loads are kept here. Offline, a page of another build would not work. */
function isOfThisBuild(html: string): boolean {
  return Array.from(html.matchAll(/(?:href|src)="\.\/(assets\/[^"]+)"/g)).every(([, name]) => shell.includes(name!));
}

async function cacheFirst(request: Request): Promise<Response> {
  const cache = await caches.open(cacheName);
  return (await cache.match(request, { ignoreVary: true })) ?? fetch(request);
}

async function keptOnceUsed(request: Request): Promise<Response> {
  const response = await cacheFirst(request);
  if (response.ok) await (await caches.open(cacheName)).put(request, response.clone());
  return response;
}

async function forgetOlder(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith(prefix) && name !== cacheName).map((name) => caches.delete(name)),
  );
}

/** FNV-1a, 32 bits. */
function hash(text: string): string {
  let value = 0x811c9dc5;
  for (const char of text) value = Math.imul(value ^ char.codePointAt(0)!, 0x01000193);
  return (value >>> 0).toString(16);
}

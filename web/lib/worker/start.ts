/**
 * Starts a worker from a site's worker script. A browser starts a worker only from a script of the page's own origin. So
 * for a site on another origin, the worker starts from one line that imports the script. The site must allow that (CORS).
 */
export function startWorker(script: URL): Worker {
  if (script.origin === location.origin) return new Worker(script, { type: 'module' });
  const line = new Blob([`import ${JSON.stringify(script.href)};`], { type: 'text/javascript' });
  const address = URL.createObjectURL(line);
  const worker = new Worker(address, { type: 'module' });
  // When the first message comes, the line has been read.
  worker.addEventListener('message', () => URL.revokeObjectURL(address), { once: true });
  return worker;
}

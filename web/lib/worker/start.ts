/**
 * Starts a worker from a site's worker script. Browsers start workers from their own origin only: for a site of another
 * one, the worker begins with a line of its own that imports the script, which the site has to allow (CORS).
 */
export function startWorker(script: URL): Worker {
  if (script.origin === location.origin) return new Worker(script, { type: 'module' });
  const line = new Blob([`import ${JSON.stringify(script.href)};`], { type: 'text/javascript' });
  const address = URL.createObjectURL(line);
  const worker = new Worker(address, { type: 'module' });
  // Its first message comes when the line has been read.
  worker.addEventListener('message', () => URL.revokeObjectURL(address), { once: true });
  return worker;
}

/**
 * The worker that fetches a pasted address. The page's policy lets the page ask no host but its own. This worker may ask
 * others, but it never gets a photo: only the address. The host must let other pages read the image (CORS).
 */
import { reasonOf, Reason } from '../../lib/errors';
import { said } from '../../lib/messages';
import type { Fetched } from './fetched';

declare const self: DedicatedWorkerGlobalScope;

self.addEventListener('message', ({ data }: MessageEvent<string>) => {
  void fetchPhoto(data).then((fetched) => self.postMessage(fetched));
});

async function fetchPhoto(address: string): Promise<Fetched> {
  try {
    // The host learns neither which page asks for what before, nor who is logged in there.
    const response = await fetch(address, { credentials: 'omit', referrerPolicy: 'no-referrer' });
    if (!response.ok) throw new Reason(said('serverAnswered', response.status));
    return { photo: await response.blob() };
  } catch (cause) {
    return { reason: cause instanceof Reason ? reasonOf(cause) : null };
  }
}

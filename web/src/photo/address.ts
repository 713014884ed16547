/** Photos that are pasted by their address. */
import { Reason, reasonOf } from '../../lib/errors';
import { said } from '../../lib/messages';
import { Failure, tell, words } from '../words/words';
import type { Fetched } from './fetched';

/** The address of an image in a pasted text, or null if the text is anything else. */
export function addressIn(text: string): URL | null {
  const trimmed = text.trim();
  if (!/^(https?:\/\/|data:image\/)\S+$/i.test(trimmed)) return null;
  return URL.canParse(trimmed) ? new URL(trimmed) : null;
}

/** The last part of an address, which is mostly a file's name. */
export function nameOf(address: URL): string {
  return (address.protocol === 'data:' ? '' : address.pathname.split('/').at(-1)) || 'pasted';
}

/** Loads a photo. @throws U2NetError `download-interrupted`, or `photo-unreadable` for a damaged data: address. */
export async function fetchPhoto(address: URL): Promise<Blob> {
  if (address.protocol === 'data:') return decode(address);
  if (address.origin !== location.origin) return fetchElsewhere(address);
  try {
    const response = await fetch(address);
    if (!response.ok) throw new Reason(said('serverAnswered', response.status));
    return await response.blob();
  } catch (cause) {
    const explain = () => words.failures.addressFailed(nameOf(address), tell(reasonOf(cause)));
    throw new Failure('download-interrupted', explain, { cause });
  }
}

/** Loads a photo from another host, in a worker that gets nothing but the address (elsewhere.ts). */
async function fetchElsewhere(address: URL): Promise<Blob> {
  const worker = new Worker(new URL('./elsewhere.ts', import.meta.url), { type: 'module' });
  try {
    const fetched = await new Promise<Fetched>((resolve) => {
      worker.addEventListener('message', ({ data }: MessageEvent<Fetched>) => resolve(data));
      worker.addEventListener('error', () => resolve({ reason: said('codeMissing') }));
      worker.postMessage(address.href);
    });
    if ('photo' in fetched) return fetched.photo;
    const { reason } = fetched;
    throw new Failure('download-interrupted', () =>
      reason === null
        ? words.failures.otherHost(nameOf(address), address.host)
        : words.failures.addressFailed(nameOf(address), tell(reason)),
    );
  } finally {
    worker.terminate();
  }
}

/** The image in a data: address. The page's policy has no connections to those, so it is decoded here. */
function decode(address: URL): Blob {
  const [head = '', body = ''] = address.href.split(/,(.*)/s);
  const type = /^data:([^;]*)/.exec(head)?.[1] ?? '';
  const text = decodeURIComponent(body);
  try {
    const binary = head.endsWith(';base64') ? atob(text) : text;
    return new Blob([Uint8Array.from(binary, (char) => char.charCodeAt(0))], { type });
  } catch (cause) {
    throw new Failure('photo-unreadable', () => words.failures.addressDamaged, { cause });
  }
}

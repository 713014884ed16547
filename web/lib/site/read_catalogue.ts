import { Reason, reasonOf, U2NetError } from '../errors';
import { said } from '../messages';
import { type Catalogue, parseCatalogue } from './catalogue';

/**
 * Reads a site's list of models. The browser asks the server whether a cached copy is still the newest.
 *
 * @throws U2NetError `download-interrupted`, or `catalogue-invalid`.
 */
export async function readCatalogue(address: URL, signal: AbortSignal | null = null): Promise<Catalogue> {
  let json: unknown;
  try {
    const response = await fetch(address, { cache: 'no-cache', signal });
    if (!response.ok) throw new Reason(said('serverAnswered', response.status));
    json = await response.json();
  } catch (cause) {
    signal?.throwIfAborted();
    const message = said('catalogueMissing', nameOf(address), reasonOf(cause));
    throw new U2NetError('download-interrupted', message, { cause });
  }
  return parseCatalogue(json);
}

/** An address without the digest that a site puts into the name. */
function nameOf(address: URL): string {
  return address.href.replace(/\.[0-9a-f]{64}/, '');
}

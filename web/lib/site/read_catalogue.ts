import { U2NetError } from '../errors';
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
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    json = await response.json();
  } catch (cause) {
    signal?.throwIfAborted();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new U2NetError(
      'download-interrupted',
      `The list of models, ${address.href}, could not be loaded (${reason}). Check the connection and reload the page.`,
      { cause },
    );
  }
  return parseCatalogue(json);
}

/** Photos that are pasted by their address. */
import { U2NetError } from '../../lib/errors';

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

/**
 * Loads a photo. The page's policy lets it ask no host but its own, so that no photo can leave the device. What lies
 * elsewhere has to be saved first.
 *
 * @throws U2NetError `download-interrupted`.
 */
export async function fetchPhoto(address: URL): Promise<Blob> {
  if (address.protocol === 'data:') return decode(address);
  if (address.origin !== location.origin) {
    throw new U2NetError(
      'download-interrupted',
      `This page loads nothing from other hosts, so not from ${address.host} either. Save the image there, or copy the image itself, and open it here.`,
    );
  }
  try {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return await response.blob();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new U2NetError(
      'download-interrupted',
      `${nameOf(address)} could not be loaded (${reason}). Check its address, or choose a file.`,
      { cause },
    );
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
    throw new U2NetError('photo-unreadable', 'The pasted data: address is damaged. Copy it again.', { cause });
  }
}

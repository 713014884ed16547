import { U2NetError } from '../errors';
import type { Size } from '../geometry';
import { said } from '../messages';

/**
 * A photo up to this size is used as it is. A larger one is scaled down to this. Canvases cannot be much larger.
 */
const MAX_PIXELS = 40e6;
/** Even decoding a photo larger than this would take more memory than a page gets. */
const REFUSED_PIXELS = 200e6;

/** The size at which a photo is worked on. */
export interface Measured extends Size {
  /** The photo's own size, if a smaller size is used. */
  readonly scaledFrom: Size | null;
}

/**
 * Measures an image file. Only its header is read: pixels are decoded in the worker.
 *
 * @param url of the file, such as an object URL.
 * @throws U2NetError `photo-unreadable` or `photo-too-large`.
 */
export async function measure(url: string, type: string, name: string): Promise<Measured> {
  const size = await sizeOf(url, name);
  const pixels = size.width * size.height;
  // The browser can show vector drawings, but the worker has no document and cannot decode them.
  if (pixels === 0 || type === 'image/svg+xml') throw unreadable(name);
  if (pixels > REFUSED_PIXELS) {
    throw new U2NetError('photo-too-large', said('photoTooLarge', name, size.width, size.height));
  }
  if (pixels <= MAX_PIXELS) return { ...size, scaledFrom: null };
  const scale = Math.sqrt(MAX_PIXELS / pixels);
  return { width: Math.floor(size.width * scale), height: Math.floor(size.height * scale), scaledFrom: size };
}

function sizeOf(url: string, name: string): Promise<Size> {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve({ width: image.naturalWidth, height: image.naturalHeight });
    image.onerror = () => reject(unreadable(name));
    image.src = url;
  });
}

function unreadable(name: string): U2NetError {
  return new U2NetError('photo-unreadable', said('photoUnreadable', name));
}

import { U2NetError } from '../../lib/errors';
import type { Size } from '../../lib/geometry';

/**
 * A photo up to this size is used as it is. A larger one is scaled down to this. Canvases cannot be much larger.
 */
const MAX_PIXELS = 40e6;
/** Even decoding a photo larger than this would take more memory than a page gets. */
const REFUSED_PIXELS = 200e6;

export interface Photo extends Size {
  readonly file: Blob;
  /** The file's name without its extension. The drawing is named after it. */
  readonly name: string;
  /** An object URL. {@link closePhoto} revokes it. */
  readonly url: string;
  /** The photo's own size, if a smaller size is used. */
  readonly scaledFrom: Size | null;
}

/**
 * Opens an image file. Only its header is read: pixels are decoded in the worker.
 *
 * @throws U2NetError `photo-unreadable` or `photo-too-large`.
 */
export async function openPhoto(file: Blob, fileName: string): Promise<Photo> {
  const url = URL.createObjectURL(file);
  try {
    const size = await sizeOf(url, fileName);
    const pixels = size.width * size.height;
    // The browser can show vector drawings, but the worker has no document and cannot decode them.
    if (pixels === 0 || file.type === 'image/svg+xml') throw unreadable(fileName);
    if (pixels > REFUSED_PIXELS) {
      throw new U2NetError(
        'photo-too-large',
        `${fileName} has ${size.width} × ${size.height} pixels, too many to be opened here. Save it at most 14,000 pixels wide and high, and open that.`,
      );
    }
    const name = fileName.replace(/\.[^.]*$/, '') || 'photo';
    if (pixels <= MAX_PIXELS) return { file, name, url, ...size, scaledFrom: null };
    const scale = Math.sqrt(MAX_PIXELS / pixels);
    const scaled = { width: Math.floor(size.width * scale), height: Math.floor(size.height * scale) };
    return { file, name, url, ...scaled, scaledFrom: size };
  } catch (cause) {
    URL.revokeObjectURL(url);
    throw cause;
  }
}

export function closePhoto(photo: Photo): void {
  URL.revokeObjectURL(photo.url);
}

function sizeOf(url: string, fileName: string): Promise<Size> {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve({ width: image.naturalWidth, height: image.naturalHeight });
    image.onerror = () => reject(unreadable(fileName));
    image.src = url;
  });
}

function unreadable(fileName: string): U2NetError {
  return new U2NetError(
    'photo-unreadable',
    `${fileName} cannot be read as an image here. Choose a JPEG, PNG, WebP or AVIF file.`,
  );
}

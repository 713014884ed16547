import { U2NetError } from '../errors';
import type { Size } from '../geometry';
import { frameOf, shownSize } from './frame';
import { measure } from './measure';

/** A photo, in any form in which a page may have it. */
export type PhotoSource =
  | Blob
  | string
  | URL
  | HTMLImageElement
  | HTMLVideoElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | ImageBitmap
  | VideoFrame;

/** A photo as the worker takes it, and its size. The caller's photo stays as it is. */
export interface Taken {
  readonly photo: Blob | ImageBitmap | VideoFrame;
  readonly size: Size;
}

/**
 * Takes a photo. A file stays encoded: the worker decodes it.
 *
 * @throws U2NetError `photo-unreadable`, `photo-too-large`, or `download-interrupted` for an address.
 */
export async function takePhoto(source: PhotoSource, signal: AbortSignal | null): Promise<Taken> {
  if (source instanceof Blob) return takeFile(source, source instanceof File ? source.name : 'The photo');
  if (typeof source === 'string' || source instanceof URL) {
    return takeFile(await download(new URL(source, document.baseURI), signal), String(source));
  }
  try {
    const photo = await pictureOf(source);
    return { photo, size: shownSize(photo) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new U2NetError(
      'photo-unreadable',
      `The ${source.constructor.name} gave no picture (${reason}). It must show a picture from this page's origin, or one loaded with crossorigin="anonymous".`,
      { cause },
    );
  }
}

async function takeFile(photo: Blob, name: string): Promise<Taken> {
  const url = URL.createObjectURL(photo);
  try {
    const { width, height } = await measure(url, photo.type, name);
    return { photo, size: { width, height } };
  } finally {
    URL.revokeObjectURL(url);
  }
}

async function download(address: URL, signal: AbortSignal | null): Promise<Blob> {
  try {
    const response = await fetch(address, { signal });
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return await response.blob();
  } catch (cause) {
    signal?.throwIfAborted();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new U2NetError(
      'download-interrupted',
      `The photo ${address.href} could not be loaded (${reason}). Check its address. If it is on another origin, its server must allow this page (CORS).`,
      { cause },
    );
  }
}

async function pictureOf(source: Exclude<PhotoSource, Blob | string | URL>): Promise<ImageBitmap | VideoFrame> {
  if (source instanceof HTMLVideoElement) return frameOf(source);
  if ('VideoFrame' in globalThis && source instanceof VideoFrame) return source.clone();
  if (!(source instanceof HTMLImageElement)) return createImageBitmap(source as ImageBitmapSource);
  await source.decode();
  // Use the bytes of the file without colour conversion, because the networks were trained like that.
  return createImageBitmap(source, { colorSpaceConversion: 'none' });
}

import { U2NetError } from '../errors';
import type { Size } from '../geometry';
import { frameOf, shownSize } from './frame';
import { measure } from './measure';

/** A photo in any form that a page has it in. */
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

/** A photo as the worker takes it, and its size. What was handed in stays as it is. */
export interface Taken {
  readonly photo: Blob | ImageBitmap | VideoFrame;
  readonly size: Size;
}

/**
 * Takes a photo in. A file stays encoded, and is decoded in the worker.
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
      `The ${source.constructor.name} gave no picture (${reason}). It has to show one, loaded from this page's origin or with crossorigin="anonymous".`,
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
      `The photo ${address.href} could not be loaded (${reason}). Check its address; of another origin, its server has to allow this one (CORS).`,
      { cause },
    );
  }
}

async function pictureOf(source: Exclude<PhotoSource, Blob | string | URL>): Promise<ImageBitmap | VideoFrame> {
  if (source instanceof HTMLVideoElement) return frameOf(source);
  if ('VideoFrame' in globalThis && source instanceof VideoFrame) return source.clone();
  if (!(source instanceof HTMLImageElement)) return createImageBitmap(source as ImageBitmapSource);
  await source.decode();
  // The bytes as they stand in the file, as the networks were trained on them.
  return createImageBitmap(source, { colorSpaceConversion: 'none' });
}

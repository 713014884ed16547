import { U2NetError } from '../errors';
import type { Rect, Size } from '../geometry';

/**
 * Decodes a photo and returns the crop's pixels: 8-bit RGBA, opaque, transparent parts on white. EXIF orientation is
 * honoured; of an animation the first frame is taken.
 *
 * @param size the size at which `crop` is meant; the photo is scaled to it if it is another.
 * @param colours `stored`: the bytes as they stand in the file, whatever its colour profile, which is what the network
 * was trained on; `shown`: converted to sRGB, as the browser shows the photo.
 * @throws U2NetError `photo-unreadable`.
 */
export async function decodeCrop(
  photo: Blob | ImageBitmap,
  size: Size,
  crop: Rect,
  colours: 'stored' | 'shown',
): Promise<ImageData> {
  const bitmap = photo instanceof Blob ? await decode(photo, colours) : photo;
  try {
    const canvas = new OffscreenCanvas(crop.width, crop.height);
    // A canvas in main memory: its pixels are read at once, and no GPU touches them.
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (context === null) throw new RangeError(`no canvas of ${crop.width} × ${crop.height} pixels`);
    context.fillStyle = 'white';
    context.fillRect(0, 0, crop.width, crop.height);
    context.imageSmoothingQuality = 'high';
    context.drawImage(bitmap, -crop.x, -crop.y, size.width, size.height);
    return context.getImageData(0, 0, crop.width, crop.height);
  } finally {
    if (bitmap !== photo) bitmap.close();
  }
}

async function decode(photo: Blob, colours: 'stored' | 'shown'): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(photo, {
      colorSpaceConversion: colours === 'stored' ? 'none' : 'default',
      imageOrientation: 'from-image',
    });
  } catch (cause) {
    throw new U2NetError(
      'photo-unreadable',
      'This file cannot be read as an image here. Choose a JPEG, PNG, WebP or AVIF file.',
      { cause },
    );
  }
}

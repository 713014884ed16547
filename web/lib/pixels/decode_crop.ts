import { U2NetError } from '../errors';
import type { Rect, Size } from '../geometry';
import { said } from '../messages';

/**
 * Decodes a photo and returns the crop's pixels: 8-bit RGBA, opaque, transparent parts on white. The photo is turned as
 * its EXIF orientation says. Of an animation, only the first frame is used.
 *
 * @param size the size of photo that `crop` refers to. A photo of another size is scaled to it.
 * @param colours `stored`: the values in the file without its colour profile, as the network was trained on them.
 * `shown`: converted to sRGB, as the browser shows the photo.
 * @throws U2NetError `photo-unreadable`.
 */
export async function decodeCrop(
  photo: Blob | ImageBitmap | VideoFrame,
  size: Size,
  crop: Rect,
  colours: 'stored' | 'shown',
): Promise<ImageData> {
  const bitmap = photo instanceof Blob ? await decode(photo, colours) : photo;
  try {
    const canvas = new OffscreenCanvas(crop.width, crop.height);
    // Keep the canvas in main memory: its pixels are read at once, and no GPU changes them.
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
    throw new U2NetError('photo-unreadable', said('fileUnreadable'), { cause });
  }
}

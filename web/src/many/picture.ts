import type { Made } from '../drawing/artist';
import { Failure, words } from '../words/words';

/** The longer side of a picture in the grid, in pixels: enough for two on a screen's pixel. */
const SIDE = 360;

/** What is kept of a drawing: the file to save, and a small picture of it. Pixels are not. */
export interface Kept {
  readonly file: Blob;
  readonly small: Blob;
}

/** Makes the small picture, and waits for the file. The drawing's bitmaps are used up. @throws U2NetError. */
export async function keep({ drawing, files }: Made): Promise<Kept> {
  const shown = drawing.cutOut ?? drawing.picture;
  if (shown === null) throw new Error('There is no picture to keep');
  try {
    const small = await shrink(shown);
    const { cutOut, picture } = await files;
    const file = cutOut ?? picture;
    if (file === null) throw new Failure('internal', () => words.failures.notEncoded);
    return { file, small };
  } finally {
    for (const bitmap of [drawing.cutOut, drawing.picture, drawing.photo]) bitmap?.close();
  }
}

function shrink(bitmap: ImageBitmap): Promise<Blob> {
  const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = new OffscreenCanvas(
    Math.max(1, Math.round(bitmap.width * scale)),
    Math.max(1, Math.round(bitmap.height * scale)),
  );
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new RangeError(`no canvas of ${canvas.width} × ${canvas.height} pixels`);
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: 'image/png' });
}

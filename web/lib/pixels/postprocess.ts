import type { Size } from '../geometry';
import type { Task } from '../site/catalogue';
import { BICUBIC, type Filter, resize, TRIANGLE } from './resize';

/**
 * Makes the drawing or the mask from the network's output, as in the reference implementation. A portrait is 1 − d0
 * (dark lines on white paper), and a mask is d0. Either is stretched so that its smallest value becomes 0 and its
 * largest 1. Then it is scaled to the photo's size.
 *
 * Each axis has its own filter: bicubic if it is enlarged, which keeps lines sharp, or the triangle if it is shrunk.
 *
 * @param d0 float32 [resolution, resolution] in [0, 1].
 * @returns 8-bit grey, width × height, in rows from the top left. A constant d0 gives zeros.
 */
export function postprocess(
  d0: Float32Array,
  resolution: number,
  task: Task,
  width: number,
  height: number,
): Uint8ClampedArray<ArrayBuffer> {
  const source = { data: normalise(d0, task), width: resolution, height: resolution, channels: 1, stride: 1 };
  const sized = resize(source, width, height, filterFor(resolution, width), filterFor(resolution, height));
  const grey = new Uint8ClampedArray(sized.length);
  // Use Math.round: the array's own conversion rounds halves to even.
  for (let i = 0; i < sized.length; i++) grey[i] = Math.round(255 * Math.min(1, Math.max(0, sized[i]!)));
  return grey;
}

/**
 * The size of the picture of a part of a photo. A mask has the size of the part. So has a drawing, unless the network drew a larger
 * one: then it has that one's longer side, so that no line is lost.
 */
export function pictureSize({ width, height }: Size, resolution: number, task: Task): Size {
  const scale = task === 'saliency' ? 1 : Math.max(1, resolution / Math.max(width, height));
  return { width: Math.round(width * scale), height: Math.round(height * scale) };
}

/** Opaque grey pixels (RGBA). */
export function greyToRgba(grey: Uint8ClampedArray): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray(grey.length * 4);
  for (let i = 0; i < grey.length; i++) {
    const value = grey[i]!;
    rgba[4 * i] = value;
    rgba[4 * i + 1] = value;
    rgba[4 * i + 2] = value;
    rgba[4 * i + 3] = 255;
  }
  return rgba;
}

/** The photo with the mask as its alpha channel (straight, not premultiplied). Both are of the same size. */
export function cutOut(photo: Uint8ClampedArray, mask: Uint8ClampedArray): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray(photo);
  for (let i = 0; i < mask.length; i++) rgba[4 * i + 3] = mask[i]!;
  return rgba;
}

/** Min-max normalised to [0, 1], inverted for a portrait. */
function normalise(d0: Float32Array, task: Task): Float32Array {
  let min = Infinity;
  let max = -Infinity;
  for (const value of d0) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const range = max - min;
  if (!(range > 0)) return new Float32Array(d0.length);
  return d0.map((value) => (task === 'portrait' ? max - value : value - min) / range);
}

function filterFor(from: number, to: number): Filter {
  return to > from ? BICUBIC : TRIANGLE;
}

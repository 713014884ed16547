import type { Rect, Size } from '../../lib/geometry';

/** Red, green and blue, 0 to 255. */
export type Colour = readonly [number, number, number];

/** What lies behind a cut-out. */
export type Background =
  | { readonly kind: 'none' }
  | { readonly kind: 'colour'; readonly colour: string }
  | { readonly kind: 'blur' }
  | { readonly kind: 'picture'; readonly picture: ImageBitmap };

/** The blurred photo is drawn at this share of its size and enlarged again, which every browser can. */
const BLUR = 1 / 24;
/** What is less opaque than this belongs to no subject, of 255. */
const SEEN = 16;

/** A colour from the value of an `<input type="color">`. */
export function colourOf(value: string): Colour {
  const number = Number.parseInt(value.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}

/**
 * Colours a grey drawing in place: black becomes ink, white becomes paper.
 *
 * @param rgba opaque grey pixels.
 * @param paper null for none: then the picture is ink alone, the more opaque the darker the drawing is.
 */
export function tint(rgba: Uint8ClampedArray, ink: Colour, paper: Colour | null): void {
  for (let i = 0; i < rgba.length; i += 4) {
    const grey = rgba[i]!;
    for (let c = 0; c < 3; c++) {
      rgba[i + c] = paper === null ? ink[c]! : (ink[c]! * (255 - grey) + paper[c]! * grey) / 255;
    }
    if (paper === null) rgba[i + 3] = 255 - grey;
  }
}

/** The smallest part that holds all of a cut-out that can be seen; all of it if nothing can. */
export function boundsOf(rgba: Uint8ClampedArray, { width, height }: Size): Rect {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (rgba[(y * width + x) * 4 + 3]! < SEEN) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  return right < 0 ? { x: 0, y: 0, width, height } : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

/** Draws what lies behind a cut-out over the whole canvas. @param photo the photo that was cut out. */
export function drawBackground(
  context: CanvasRenderingContext2D,
  background: Background,
  photo: HTMLCanvasElement,
): void {
  const { width, height } = context.canvas;
  context.imageSmoothingQuality = 'high';
  switch (background.kind) {
    case 'none':
      break;
    case 'colour':
      context.fillStyle = background.colour;
      context.fillRect(0, 0, width, height);
      break;
    case 'blur': {
      const small = new OffscreenCanvas(Math.max(1, Math.round(width * BLUR)), Math.max(1, Math.round(height * BLUR)));
      small.getContext('2d')?.drawImage(photo, 0, 0, small.width, small.height);
      context.drawImage(small, 0, 0, width, height);
      break;
    }
    case 'picture': {
      // As large as it must be to leave nothing empty, its middle in the middle.
      const { picture } = background;
      const scale = Math.max(width / picture.width, height / picture.height);
      const [across, down] = [picture.width * scale, picture.height * scale];
      context.drawImage(picture, (width - across) / 2, (height - down) / 2, across, down);
    }
  }
}

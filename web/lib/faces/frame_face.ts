import type { Rect, Size } from '../geometry';
import type { Face } from './boxes';

/** What is added to the face's box on its left and right, as a share of its size, as in U²-Net's own portrait demo. */
const BESIDE = 0.4;
/**
 * What is added above. The demo adds 0.6 to the box of another detector, which begins at the hairline; this detector's
 * begins lower, at the eyebrows.
 */
const ABOVE = 0.75;

/**
 * The square part of a photo that a portrait of this face shows: 1.8 times the face's size. Where it would leave the
 * photo, it is moved inside, and made smaller if the photo is, so that no empty margin is drawn.
 *
 * @returns whole pixels of the photo.
 */
export function frameFace({ box }: Face, photo: Size): Rect {
  const size = Math.max(box.width, box.height);
  const side = Math.max(1, Math.min(Math.round(size * (1 + 2 * BESIDE)), photo.width, photo.height));
  const inside = (start: number, length: number) => Math.min(Math.max(0, Math.round(start)), length - side);
  return {
    x: inside(box.x + box.width / 2 - side / 2, photo.width),
    y: inside(box.y + box.height / 2 - size / 2 - ABOVE * size, photo.height),
    width: side,
    height: side,
  };
}

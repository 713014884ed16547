import type { Rect, Size } from '../../lib/geometry';

/** Which sides a drag moves: −1 for the left or top one, 1 for the right or bottom one, 0 for neither. */
export interface Handle {
  readonly x: -1 | 0 | 1;
  readonly y: -1 | 0 | 1;
}

/** The shortest side that a crop frame may have, in pixels. A smaller frame has nothing to draw. */
export const MIN_SIDE = 16;

/**
 * The frame with which a portrait starts: the largest square, which the network sees undistorted. It is in the middle
 * and a third of the way down, where faces usually are.
 */
export function portraitFrame(photo: Size): Rect {
  const side = Math.min(photo.width, photo.height);
  return {
    x: Math.round((photo.width - side) / 2),
    y: Math.round((photo.height - side) / 3),
    width: side,
    height: side,
  };
}

/** Returns the frame moved by (dx, dy), as far as the photo's edges allow. */
export function move(frame: Rect, photo: Size, dx: number, dy: number): Rect {
  return {
    ...frame,
    x: clamp(Math.round(frame.x + dx), 0, photo.width - frame.width),
    y: clamp(Math.round(frame.y + dy), 0, photo.height - frame.height),
  };
}

/** Returns the frame with the sides of `handle` moved by (dx, dy). The opposite sides stay where they are. */
export function resizeFrame(frame: Rect, photo: Size, handle: Handle, dx: number, dy: number): Rect {
  const [x, width] = resizeSide(frame.x, frame.width, photo.width, handle.x, Math.round(dx));
  const [y, height] = resizeSide(frame.y, frame.height, photo.height, handle.y, Math.round(dy));
  return { x, y, width, height };
}

function resizeSide(start: number, length: number, limit: number, side: -1 | 0 | 1, delta: number): [number, number] {
  const least = Math.min(MIN_SIDE, limit);
  const end = start + length;
  if (side < 0) {
    const moved = clamp(start + delta, 0, end - least);
    return [moved, end - moved];
  }
  if (side > 0) return [start, clamp(end + delta, start + least, limit) - start];
  return [start, length];
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}

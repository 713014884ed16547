import type { Rect, Size } from '../../lib/geometry';

export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * What a sheet shows: its content, `zoom` times as large as the sheet. The content's left top corner is at x and y, in shares of the
 * sheet's sides. Both are 0 or less, and the content always fills the sheet.
 */
export interface Pane extends Point {
  readonly zoom: number;
}

/** The pane of a part of the photo, with a point of the photo as near to the sheet's middle as its edges allow. */
export function paneAround(part: Rect, zoom: number, { x, y }: Point): Pane {
  return inside(zoom, 0.5 - (zoom * (x - part.x)) / part.width, 0.5 - (zoom * (y - part.y)) / part.height);
}

/** The point of the photo that is in the middle of the sheet. */
export function middleOf(part: Rect, { zoom, x, y }: Pane): Point {
  return { x: part.x + (part.width * (0.5 - x)) / zoom, y: part.y + (part.height * (0.5 - y)) / zoom };
}

/** The pane at another zoom. What is at `at` stays there, as far as the edges allow. @param at in shares of the sheet's sides. */
export function zoomAt(pane: Pane, zoom: number, at: Point): Pane {
  const ratio = zoom / pane.zoom;
  return inside(zoom, at.x - ratio * (at.x - pane.x), at.y - ratio * (at.y - pane.y));
}

/** The pane moved by shares of the sheet's sides. */
export function moved({ zoom, x, y }: Pane, dx: number, dy: number): Pane {
  return inside(zoom, x + dx, y + dy);
}

/**
 * How much the photo is enlarged while the drawing of its part is enlarged `zoom` times. Not enlarged, each sheet shows its
 * whole. From twice on, both sheets show the same place at the same size. Between, the photo catches up.
 */
export function photoZoom(zoom: number, photo: Size, part: Size): number {
  const ahead = Math.min(photo.width / part.width, photo.height / part.height);
  return zoom * ahead ** Math.min(1, Math.log2(zoom));
}

function inside(zoom: number, x: number, y: number): Pane {
  const within = (start: number) => Math.min(0, Math.max(1 - zoom, start));
  return { zoom, x: within(x), y: within(y) };
}

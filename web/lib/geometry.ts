export interface Size {
  readonly width: number;
  readonly height: number;
}

/** In pixels of the photo, from its top left. */
export interface Rect extends Size {
  readonly x: number;
  readonly y: number;
}

/** The whole photo. */
export function wholeOf(photo: Size): Rect {
  return { x: 0, y: 0, width: photo.width, height: photo.height };
}

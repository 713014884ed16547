import { expect, test } from 'vitest';
import { middleOf, moved, paneAround, photoZoom, zoomAt } from './pane';

const PHOTO = { x: 0, y: 0, width: 600, height: 400 };
const PART = { x: 200, y: 100, width: 200, height: 200 };

test('a point stays where it is when it is enlarged', () => {
  const pane = zoomAt({ zoom: 1, x: 0, y: 0 }, 4, { x: 0.25, y: 0.5 });
  expect(pane).toEqual({ zoom: 4, x: -0.75, y: -1.5 });
  // What was at a quarter of the sheet is at a quarter of it still.
  expect(pane.x + 4 * 0.25).toBe(0.25);
  expect(zoomAt(pane, 1, { x: 0.9, y: 0 })).toEqual({ zoom: 1, x: 0, y: 0 });
});

test('no sheet shows what is beside the photo', () => {
  expect(paneAround(PART, 2, { x: 0, y: 1000 })).toEqual({ zoom: 2, x: 0, y: -1 });
  expect(moved({ zoom: 2, x: -0.5, y: -0.5 }, 3, -3)).toEqual({ zoom: 2, x: 0, y: -1 });
});

test('the middle of a pane is the point that it was made around', () => {
  const point = { x: 320, y: 180 };
  expect(middleOf(PART, paneAround(PART, 4, point))).toEqual(point);
  expect(middleOf(PHOTO, paneAround(PHOTO, 4, point))).toEqual(point);
});

test('from twice on, photo and drawing show the same place at the same size', () => {
  expect(photoZoom(1, PHOTO, PART)).toBe(1);
  for (const zoom of [2, 5]) {
    const shown = PHOTO.height / photoZoom(zoom, PHOTO, PART);
    expect(shown).toBeCloseTo(PART.height / zoom, 9);
  }
  expect(photoZoom(3, PHOTO, PHOTO)).toBe(3);
});

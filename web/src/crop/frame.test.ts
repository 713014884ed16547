import { expect, test } from 'vitest';
import { wholeOf } from '../../lib/geometry';
import { MIN_SIDE, move, portraitFrame, resizeFrame } from './frame';

const photo = { width: 400, height: 300 };
const frame = { x: 100, y: 50, width: 200, height: 100 };

test('takes the whole photo', () => {
  expect(wholeOf(photo)).toEqual({ x: 0, y: 0, width: 400, height: 300 });
});

test.each([
  [photo, { x: 50, y: 0, width: 300, height: 300 }],
  [
    { width: 300, height: 600 },
    { x: 0, y: 100, width: 300, height: 300 },
  ],
  [
    { width: 5, height: 4 },
    { x: 1, y: 0, width: 4, height: 4 },
  ],
])('starts a portrait with the largest square, towards the top', (size, expected) => {
  expect(portraitFrame(size)).toEqual(expected);
});

test('moves as far as the edges', () => {
  expect(move(frame, photo, 10.4, -10.4)).toEqual({ ...frame, x: 110, y: 40 });
  expect(move(frame, photo, 1000, -1000)).toEqual({ ...frame, x: 200, y: 0 });
});

test.each([
  [{ x: 1, y: 1 }, 20, 10, { x: 100, y: 50, width: 220, height: 110 }],
  [{ x: -1, y: -1 }, 20, 10, { x: 120, y: 60, width: 180, height: 90 }],
  [{ x: 0, y: 1 }, 20, 10, { x: 100, y: 50, width: 200, height: 110 }],
  [{ x: 1, y: 0 }, 1000, 1000, { x: 100, y: 50, width: 300, height: 100 }],
  [{ x: -1, y: 0 }, -1000, 0, { x: 0, y: 50, width: 300, height: 100 }],
] as const)('resizes by the handle %o', (handle, dx, dy, expected) => {
  expect(resizeFrame(frame, photo, handle, dx, dy)).toEqual(expected);
});

test('never becomes too small to hold anything', () => {
  expect(resizeFrame(frame, photo, { x: 1, y: 1 }, -1000, -1000)).toMatchObject({ width: MIN_SIDE, height: MIN_SIDE });
  expect(resizeFrame(frame, photo, { x: -1, y: -1 }, 1000, 1000)).toEqual({
    x: 284,
    y: 134,
    width: MIN_SIDE,
    height: MIN_SIDE,
  });
});

test('keeps within a photo smaller than the least frame', () => {
  const tiny = { width: 5, height: 4 };
  expect(resizeFrame(wholeOf(tiny), tiny, { x: 1, y: 1 }, -10, -10)).toEqual(wholeOf(tiny));
});

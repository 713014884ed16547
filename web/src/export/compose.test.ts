import { expect, test } from 'vitest';
import { boundsOf, colourOf, tint } from './compose';

const greys = (...values: number[]) => new Uint8ClampedArray(values.flatMap((value) => [value, value, value, 255]));

test('reads a colour', () => expect(colourOf('#0a80ff')).toEqual([10, 128, 255]));

test('black becomes ink and white becomes paper', () => {
  const pixels = greys(0, 255, 51);
  tint(pixels, [100, 0, 0], [200, 250, 0]);
  expect([...pixels]).toEqual([100, 0, 0, 255, 200, 250, 0, 255, 120, 50, 0, 255]);
});

test('without paper, only the ink is left', () => {
  const pixels = greys(0, 255, 51);
  tint(pixels, [1, 2, 3], null);
  expect([...pixels]).toEqual([1, 2, 3, 255, 1, 2, 3, 0, 1, 2, 3, 204]);
});

test('a subject is trimmed to what can be seen', () => {
  const pixels = new Uint8ClampedArray(4 * 3 * 4);
  for (const [x, y] of [[1, 1], [2, 2]] as const) pixels[(y * 4 + x) * 4 + 3] = 255;
  pixels[3] = 10;
  expect(boundsOf(pixels, { width: 4, height: 3 })).toEqual({ x: 1, y: 1, width: 2, height: 2 });
  expect(boundsOf(pixels.fill(0), { width: 4, height: 3 })).toEqual({ x: 0, y: 0, width: 4, height: 3 });
});

import { expect, test } from 'vitest';
import { preprocess } from './preprocess';

test("divides by the image's own maximum, subtracts the means, divides by the deviations", () => {
  const rgba = new Uint8ClampedArray([200, 100, 50, 255]);
  const input = preprocess(rgba, 1, 1, 1);
  expect(input[0]).toBeCloseTo((1 - 0.485) / 0.229, 5);
  expect(input[1]).toBeCloseTo((0.5 - 0.456) / 0.224, 5);
  expect(input[2]).toBeCloseTo((0.25 - 0.406) / 0.225, 5);
});

test('takes the maximum over all channels after the resize', () => {
  const rgba = new Uint8ClampedArray([0, 0, 0, 255, 200, 100, 0, 255]);
  const input = preprocess(rgba, 2, 1, 1);
  expect(input[0]).toBeCloseTo((1 - 0.485) / 0.229, 5);
  expect(input[1]).toBeCloseTo((0.5 - 0.456) / 0.224, 5);
});

test('counts an all-black photo as zeros', () => {
  const input = preprocess(new Uint8ClampedArray(4 * 4 * 4), 4, 4, 2);
  expect(input).toHaveLength(2 * 2 * 3);
  expect(input[0]).toBeCloseTo(-0.485 / 0.229, 5);
  expect(input.every(Number.isFinite)).toBe(true);
});

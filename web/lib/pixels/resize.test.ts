import { expect, test } from 'vitest';
import { BICUBIC, type Filter, resize, TRIANGLE } from './resize';

/** 7 × 5 values without a pattern. */
const SOURCE = Float32Array.from({ length: 35 }, (_, i) => (i * 37) % 251);

// Expected values: Pillow 12.3, Image.fromarray(source, mode="F").resize((width, height), filter).
test.each<[string, number, number, Filter, number[], number]>([
  [
    'shrinks with the triangle',
    3,
    2,
    TRIANGLE,
    [39.71428680419922, 119.0, 198.2857208251953, 55.71428680419922, 135.0, 185.7629852294922],
    733.477294921875,
  ],
  [
    'enlarges with the cubic',
    9,
    8,
    BICUBIC,
    [
      -2.327125072479248, 21.888639450073242, 52.868797302246094, 81.64657592773438, 110.42435455322266,
      139.20211791992188,
    ],
    8616.5859375,
  ],
  [
    'enlarges one side and shrinks the other',
    10,
    3,
    TRIANGLE,
    [
      3.4285714626312256, 23.77857208251953, 49.67856979370117, 75.57857513427734, 101.47857666015625,
      127.37857055664062,
    ],
    3602.028564453125,
  ],
  [
    'does so with the cubic as well',
    3,
    9,
    BICUBIC,
    [
      25.905288696289062, 110.34883880615234, 194.79237365722656, 28.487485885620117, 112.93103790283203,
      197.37457275390625,
    ],
    3268.4208984375,
  ],
])('%s as Pillow does', (_, width, height, filter, first, sum) => {
  const result = resize({ data: SOURCE, width: 7, height: 5, channels: 1, stride: 1 }, width, height, filter);
  expect(result).toHaveLength(width * height);
  for (const [i, value] of first.entries()) expect(result[i]).toBeCloseTo(value, 4);
  expect(result.reduce((total, value) => total + value, 0)).toBeCloseTo(sum, 2);
});

test('gives the source back at its own size', () => {
  const result = resize({ data: SOURCE, width: 7, height: 5, channels: 1, stride: 1 }, 7, 5, TRIANGLE);
  expect(result).toEqual(SOURCE);
});

test('takes the first channels of each pixel and leaves the rest', () => {
  const rgba = new Uint8ClampedArray([10, 20, 30, 255, 50, 60, 70, 0]);
  expect(resize({ data: rgba, width: 2, height: 1, channels: 3, stride: 4 }, 1, 1, TRIANGLE)).toEqual(
    new Float32Array([30, 40, 50]),
  );
});

test('has a filter of its own for each axis', () => {
  const source = { data: SOURCE, width: 7, height: 5, channels: 1, stride: 1 };
  const wide = resize(source, 9, 5, BICUBIC);
  const both = resize(source, 9, 2, BICUBIC, TRIANGLE);
  const expected = resize({ ...source, data: wide, width: 9 }, 9, 2, TRIANGLE);
  for (const [i, value] of expected.entries()) expect(both[i]).toBeCloseTo(value, 4);
});

test.each([0, -1, 1.5, NaN])('refuses a side of %s', (side) => {
  const source = { data: SOURCE, width: 7, height: 5, channels: 1, stride: 1 };
  expect(() => resize(source, side, 5, TRIANGLE)).toThrow(RangeError);
});

import { expect, test } from 'vitest';
import { cutOut, greyToRgba, pictureSize, postprocess } from './postprocess';

const D0 = new Float32Array([0.2, 0.4, 0.6, 0.7]);

test('stretches a mask to the full range', () => {
  expect([...postprocess(D0, 2, 'saliency', 2, 2)]).toEqual([0, 102, 204, 255]);
});

test('draws a portrait dark on white', () => {
  expect([...postprocess(D0, 2, 'portrait', 2, 2)]).toEqual([255, 153, 51, 0]);
});

test.each(['portrait', 'saliency'] as const)('gives zeros for a constant output (%s)', (task) => {
  expect(postprocess(new Float32Array(4).fill(0.5), 2, task, 3, 3).every((value) => value === 0)).toBe(true);
});

test('scales to the size of the crop and stays within 8 bits where the cubic overshoots', () => {
  const edge = new Float32Array([0, 1, 0, 1]);
  const grey = postprocess(edge, 2, 'saliency', 8, 4);
  expect(grey).toHaveLength(32);
  expect(grey[0]).toBe(0);
  expect(grey[7]).toBe(255);
});

test('shrinks by averaging', () => {
  expect([...postprocess(new Float32Array([0, 1, 1, 0]), 2, 'saliency', 1, 1)]).toEqual([128]);
});

test('makes opaque grey pixels', () => {
  expect([...greyToRgba(new Uint8ClampedArray([0, 7]))]).toEqual([0, 0, 0, 255, 7, 7, 7, 255]);
});

test('puts the mask into the alpha channel and leaves the photo as it was', () => {
  const photo = new Uint8ClampedArray([1, 2, 3, 255, 4, 5, 6, 255]);
  expect([...cutOut(photo, new Uint8ClampedArray([0, 128]))]).toEqual([1, 2, 3, 0, 4, 5, 6, 128]);
  expect(photo[3]).toBe(255);
});

// The same sizes as in the test of `draw`.
test.each([
  [170, 170, 'portrait', 320, 320],
  [170, 85, 'drawing', 320, 160],
  [1, 3000, 'portrait', 1, 3000],
  [1, 300, 'portrait', 1, 320],
  [640, 480, 'portrait', 640, 480],
  [170, 85, 'saliency', 170, 85],
] as const)('%i × %i pixels as a %s have %i × %i', (width, height, task, across, down) => {
  expect(pictureSize({ width, height }, 320, task)).toEqual({ width: across, height: down });
});

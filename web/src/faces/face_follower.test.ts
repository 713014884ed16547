import { expect, test } from 'vitest';
import { between, steady, whole } from './face_follower';

test('a frame comes nearer to its goal and never passes it', () => {
  const from = { x: 0, y: 0, width: 100, height: 100 };
  const to = { x: 100, y: 50, width: 200, height: 200 };
  expect(between(from, to, 0.5)).toEqual({ x: 50, y: 25, width: 150, height: 150 });
  expect(between(from, to, 1)).toEqual(to);
});

test('whole pixels, square, inside the picture', () => {
  expect(whole({ x: 10.4, y: -3, width: 99.6, height: 99.6 }, { width: 120, height: 200 })).toEqual({
    x: 10,
    y: 0,
    width: 100,
    height: 100,
  });
  expect(whole({ x: 30, y: 0, width: 100, height: 100 }, { width: 120, height: 200 }).x).toBe(20);
});

test('the frame keeps its size while the face keeps its own, and its middle follows', () => {
  const before = { x: 0, y: 0, width: 100, height: 100 };
  expect(steady(before, { x: 40, y: 10, width: 110, height: 110 })).toEqual({ x: 45, y: 15, width: 100, height: 100 });
  const larger = { x: 0, y: 0, width: 120, height: 120 };
  expect(steady(before, larger)).toBe(larger);
  expect(steady(before, undefined)).toBeUndefined();
  expect(steady(undefined, larger)).toBe(larger);
});

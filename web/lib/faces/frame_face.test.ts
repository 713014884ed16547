import { expect, test } from 'vitest';
import { frameFace } from './frame_face';

const face = (x: number, y: number, width: number, height = width) => ({ score: 1, box: { x, y, width, height } });

test('the frame is 1.8 times the face, with more room above it', () => {
  expect(frameFace(face(400, 300, 100), { width: 1000, height: 800 })).toEqual({ x: 360, y: 225, width: 180, height: 180 });
});

test.each([
  ['at the left and top edges', face(-10, 5, 100), { x: 0, y: 0, width: 180, height: 180 }],
  ['at the right and lower edges', face(940, 750, 100), { x: 820, y: 620, width: 180, height: 180 }],
  ['larger than the photo', face(100, 100, 700), { x: 50, y: 0, width: 800, height: 800 }],
])('a face %s keeps its frame inside the photo', (_, found, frame) => {
  expect(frameFace(found, { width: 1000, height: 800 })).toEqual(frame);
});

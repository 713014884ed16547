import { expect, test } from 'vitest';
import { distinct, readFaces } from './boxes';

/** Outputs of the detector with these boxes: the cell's index, its score before the sigmoid, and the first four values. */
function outputs(cells: readonly [number, number, readonly number[]][]) {
  const regressors = new Float32Array(896 * 16);
  const scores = new Float32Array(896).fill(-100);
  for (const [index, score, values] of cells) {
    scores[index] = score;
    regressors.set(values, index * 16);
  }
  return [regressors, scores] as const;
}

test('boxes lie around the middles of their cells', () => {
  // The second box of row 1, column 2 of the 16 × 16 cells; the last of the last of the 8 × 8 cells.
  const found = readFaces(...outputs([
    [2 * (16 + 2) + 1, 2, [1, -1, 20, 30]],
    [895, 3, [0, 0, 10, 10]],
  ]));
  expect(found).toHaveLength(2);
  expect(found[0]!.box).toEqual({ x: 115, y: 115, width: 10, height: 10 });
  expect(found[1]!.box).toEqual({ x: 21 - 10, y: 11 - 15, width: 20, height: 30 });
  expect(found[1]!.score).toBeCloseTo(1 / (1 + Math.exp(-2)));
});

test('boxes of one face become their average, weighted by score', () => {
  const surest = Math.log(0.9 / 0.1);
  const other = Math.log(0.75 / 0.25);
  const [face, ...others] = readFaces(...outputs([
    [0, other, [4, 0, 40, 40]],
    [1, surest, [0, 0, 40, 40]],
  ]));
  expect(others).toEqual([]);
  expect(face!.score).toBeCloseTo(0.9);
  expect(face!.box.x).toBeCloseTo(4 - 20 + (4 * 0.75) / 1.65, 4);
});

test('a low score is no face', () => {
  expect(readFaces(...outputs([[0, Math.log(0.69 / 0.31), [0, 0, 40, 40]]]))).toEqual([]);
  expect(readFaces(...outputs([[0, NaN, [0, 0, 40, 40]]]))).toEqual([]);
});

test('of a face that was found twice, the surest box is kept', () => {
  const one = { score: 0.8, box: { x: 0, y: 0, width: 10, height: 10 } };
  const same = { score: 0.9, box: { x: 1, y: 0, width: 10, height: 10 } };
  const another = { score: 0.7, box: { x: 30, y: 0, width: 10, height: 10 } };
  expect(distinct([one, another, same])).toEqual([same, another]);
});

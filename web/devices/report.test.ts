import { expect, test } from 'vitest';
import { spread } from './report';

test.each([
  [[7], { median: 7, low: 7, high: 7 }],
  [[9, 1, 5], { median: 5, low: 3, high: 7 }],
  [[4, 1, 2, 3, 100], { median: 3, low: 2, high: 4 }],
])('median and quartiles of %j', (times, expected) => {
  expect(spread(times)).toEqual(expected);
});

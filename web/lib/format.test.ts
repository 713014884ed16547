import { expect, test } from 'vitest';
import { formatBytes, formatSeconds } from './format';

test.each([
  [999, '999 B'],
  [1000, '1.0 kB'],
  [4_524_724, '4.5 MB'],
  [176_000_000, '176 MB'],
  [1_234_000_000, '1.2 GB'],
])('formats %d bytes', (bytes, expected) => {
  expect(formatBytes(bytes)).toBe(expected);
});

test.each([
  [40, '0.1 s'],
  [420, '0.4 s'],
  [9_949, '9.9 s'],
  [12_300, '12 s'],
  [150_000, '3 min'],
])('formats %d ms', (ms, expected) => {
  expect(formatSeconds(ms)).toBe(expected);
});

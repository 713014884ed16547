import { expect, test } from 'vitest';
import { Names } from './names';

test('photos of the same name, and those that are named like the answer, do not collide', () => {
  const names = new Names();
  const files = ['cat.jpg', 'cat.png', 'CAT.jpg', 'cat (2).jpg', 'dog.tar.gz', '.hidden', 'cafe\u0301.jpg', 'caf\u00e9.jpg'];
  const given = files.map((file) => names.next(file, 'portrait'));
  expect(given).toEqual([
    'cat-portrait.png',
    'cat (2)-portrait.png',
    'CAT (3)-portrait.png',
    'cat (2) (2)-portrait.png',
    'dog.tar-portrait.png',
    'photo-portrait.png',
    'cafe\u0301-portrait.png',
    'caf\u00e9 (2)-portrait.png',
  ]);
});

test('no name leads out of the archive', () => {
  expect(new Names().next('..\\..\\win/ini:x.jpg', 'cut-out')).toBe('_.._win_ini_x-cut-out.png');
});

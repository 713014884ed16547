import { expect, test, vi } from 'vitest';
import { addressIn, fetchPhoto, nameOf } from './address';

test.each([
  ['https://example.org/cat.jpg', 'https://example.org/cat.jpg'],
  ['  http://example.org/a.png?b=c \n', 'http://example.org/a.png?b=c'],
  ['good morning', null],
  ['see https://example.org/cat.jpg', null],
  ['javascript:alert(1)', null],
  ['https://', null],
])('of %j the address is %j', (text, expected) => {
  expect(addressIn(text)?.href ?? null).toBe(expected);
});

test('names a photo after the end of its address', () => {
  expect(nameOf(new URL('https://example.org/photos/cat.jpg?size=2'))).toBe('cat.jpg');
  expect(nameOf(new URL('https://example.org/'))).toBe('pasted');
});

test('decodes data: addresses', async () => {
  vi.stubGlobal('location', new URL('https://own.example/'));
  const address = addressIn(`data:image/png;base64,${btoa('a photo')}`)!;
  const photo = await fetchPhoto(address);
  expect([photo.type, await photo.text(), nameOf(address)]).toEqual(['image/png', 'a photo', 'pasted']);
  await expect(fetchPhoto(new URL('data:image/png;base64,!'))).rejects.toMatchObject({ code: 'photo-unreadable' });
  vi.unstubAllGlobals();
});

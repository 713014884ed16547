import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { said } from '../../lib/messages';
import { english } from './en/en';
import { firstLanguage, type Language, LANGUAGES } from './languages';
import { explain, Failure, speak, tell, words } from './words';

const html = ['../../index.html', '../many/many.html', '../video/video.html']
  .map((path) => readFileSync(new URL(path, import.meta.url), 'utf8'))
  .join('');

/** The names of texts in the HTML, each with the English text that the HTML holds. */
function textsOfPage(): [name: string, text: string][] {
  const contents = html.matchAll(/<[^>]*\sdata-words="(\w+)"[^>]*>([^<]*)</g);
  const attributes = html.matchAll(/<[^>]*\sdata-words-([\w-]+)="(\w+)"[^>]*>/g);
  return [
    ...Array.from(contents, ([, name, text]): [string, string] => [name!, text!]),
    ...Array.from(attributes, ([element, attribute, name]): [string, string] => [
      name!,
      new RegExp(`\\s${attribute}="([^"]*)"`).exec(element)![1]!,
    ]),
  ].map(([name, text]) => [name, text.replace(/\s+/g, ' ').trim()]);
}

test('the HTML holds the English texts, and every text has its place', () => {
  const texts = textsOfPage();
  for (const [name, text] of texts) expect([name, english.page[name as keyof typeof english.page]]).toEqual([name, text]);
  expect(new Set(texts.map(([name]) => name))).toEqual(new Set(Object.keys(english.page)));
});

test.each([
  [null, ['de-AT', 'en'], 'de'],
  [null, ['fr', 'zh-Hant-TW', 'en'], 'zh'],
  [null, ['fr-FR'], 'en'],
  ['ja', ['de'], 'ja'],
  ['tlh', ['ja-JP'], 'ja'],
  [null, [], 'en'],
])('chosen %j, with a browser for %j: %s', (chosen, browser, expected) => {
  expect(firstLanguage(chosen, browser)).toBe(expected);
});

/** Every text of a catalogue, with stand-ins put in. */
function all(value: unknown, path = ''): [string, string][] {
  if (typeof value === 'string') return [[path, value]];
  if (Array.isArray(value)) return [];
  if (typeof value === 'function') return [];
  return Object.entries(value as object).flatMap(([name, inner]) => all(inner, `${path}.${name}`));
}

test.each(Object.entries(LANGUAGES))('%s: no text is empty, and other languages are not English', async (name, language: Language) => {
  const texts = all(await language.load());
  expect(texts.filter(([, text]) => text.trim() === '')).toEqual([]);
  if (name === 'en') return;
  const before = new Map(all(english));
  const same = texts.filter(([path, text]) => before.get(path) === text).map(([path]) => path);
  // Words that are the same in German.
  expect(same.filter((path) => !['.page.live', '.page.format', '.page.export', '.page.video'].includes(path))).toEqual([]);
});

test('what went wrong is told in the language of the moment', async () => {
  const own = new Failure('internal', () => words.failures.noCamera);
  const message = said('downloadStopped', said('partOf', 2, 3), said('serverAnswered', 503));
  expect(tell(message)).toBe(
    'The download stopped at part 2 of 3 (the server answered 503). Check the connection and draw again: what has arrived is kept.',
  );
  speak(await LANGUAGES.de.load());
  expect(explain(own)).toMatch(/^Es wurde keine Kamera gefunden/);
  expect(tell(message)).toMatch(/Teil 2 von 3 .*503/);
  expect(words.talk.received(1.3e6, 2.9e6)).toBe('1,3 MB von 2,9 MB');
  speak(english);
  expect(explain(own)).toMatch(/^No camera was found/);
});

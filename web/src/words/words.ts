/**
 * All that the page says, in the visitor's language.
 *
 * To add a text, write it in en/: a text, or a function of what is put into it. The compiler then asks for it in de/,
 * ja/ and zh/. A feature with many texts gets a file of its own in each of them, named in en.ts, de.ts, ja.ts and zh.ts.
 *
 * - A text of index.html, or of a feature's HTML, goes into page.ts. The HTML element gets its name: data-words="name" for its text,
 *   data-words-aria-label="name" and the like for an attribute. A test compares the HTML with en/page.ts.
 * - A text that code writes is read as `words.talk.name` when it is written. `write(element, () => words.talk.name)`
 *   writes it, and writes it again when the language changes.
 * - What went wrong: `new Failure(code, () => words.failures.name)`. Messages of the library are in lib/messages.ts.
 */
import { type ErrorCode, U2NetError } from '../../lib/errors';
import { type Said, textOf } from '../../lib/messages';
import { english } from './en/en';

export type Words = typeof english;
export type PageWord = keyof Words['page'];

/** The words of the present language. Read them when they are written: the language may change. */
export let words: Words = english;

/** Texts that are on the page: of an element, by attribute, with '' for its content. */
const written = new Map<Element, Map<string, () => string>>();
const listeners: (() => void)[] = [];

/** Writes a text into an element, or into an attribute of it, and again when the language changes. */
export function write(element: Element, text: () => string, attribute = ''): void {
  if (!written.has(element)) written.set(element, new Map());
  written.get(element)!.set(attribute, text);
  put(element, attribute, text());
}

/** Binds the texts of index.html, or of other HTML, to their words. */
export function writePage(html: ParentNode): void {
  for (const attribute of ['', 'aria-label', 'aria-roledescription', 'alt']) {
    const mark = attribute === '' ? 'data-words' : `data-words-${attribute}`;
    for (const element of html.querySelectorAll(`[${mark}]`)) {
      const name = element.getAttribute(mark) as PageWord;
      write(element, () => words.page[name], attribute);
    }
  }
}

/** The elements of a feature's HTML, with their texts in the present language. */
export function elementsOf(html: string): DocumentFragment {
  const template = document.createElement('template');
  template.innerHTML = html;
  writePage(template.content);
  return template.content;
}

/** Has `act` called when the language has changed, for what {@link write} does not do. */
export function onLanguage(act: () => void): void {
  listeners.push(act);
}

/** Says everything in other words from now on. */
export function speak(other: Words): void {
  words = other;
  for (const [element, texts] of written) {
    if (!element.isConnected) written.delete(element);
    else for (const [attribute, text] of texts) put(element, attribute, text());
  }
  for (const act of listeners) act();
}

/** Something that went wrong on the page itself. */
export class Failure extends U2NetError {
  readonly write: () => string;

  constructor(code: ErrorCode, write: () => string, options?: ErrorOptions) {
    super(code, write(), options);
    this.write = write;
  }
}

/** What went wrong, in the present language. */
export function explain(error: U2NetError): string {
  return error instanceof Failure ? error.write() : tell(error.said);
}

/** A message of the library, in the present language. */
export function tell(said: Said): string {
  return textOf(said, words.messages);
}

function put(element: Element, attribute: string, text: string): void {
  if (attribute !== '') element.setAttribute(attribute, text);
  else if (element.textContent !== text) element.textContent = text;
}

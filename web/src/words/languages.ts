/** The languages of the page: which one a visitor gets, and the change to another. */
import { english } from './en/en';
import { type Words } from './words';

export interface Language {
  /** Its name in itself. */
  readonly name: string;
  /** As `lang` says it. */
  readonly code: string;
  readonly dir: 'ltr' | 'rtl';
  /** English comes with the page, any other language when it is used. */
  readonly load: () => Promise<Words>;
}

export const LANGUAGES = {
  en: { name: 'English', code: 'en', dir: 'ltr', load: () => Promise.resolve(english) },
  de: { name: 'Deutsch', code: 'de', dir: 'ltr', load: async () => (await import('./de/de')).german },
  ja: { name: '日本語', code: 'ja', dir: 'ltr', load: async () => (await import('./ja/ja')).japanese },
  zh: { name: '简体中文', code: 'zh-Hans', dir: 'ltr', load: async () => (await import('./zh/zh')).chinese },
} satisfies Record<string, Language>;

export type LanguageName = keyof typeof LANGUAGES;

/**
 * The language to begin with: the one that was chosen on this device, else the first of the browser's languages that
 * the page speaks, else English.
 */
export function firstLanguage(chosen: string | null, browser: readonly string[]): LanguageName {
  const asked = [chosen ?? '', ...browser.map((tag) => tag.split('-')[0]!.toLowerCase())];
  return asked.find((name): name is LanguageName => Object.hasOwn(LANGUAGES, name)) ?? 'en';
}

import { byId } from '../dom';
import { firstLanguage, type Language, LANGUAGES, type LanguageName } from './languages';
import { speak, writePage } from './words';

const KEY = 'language';

/** Says everything in the visitor's language, and lets another one be chosen. It is kept on this device. */
export async function chooseLanguage(storage: Pick<Storage, 'getItem' | 'setItem'>): Promise<void> {
  const select = byId('language', HTMLSelectElement);
  const name = firstLanguage(storage.getItem(KEY), navigator.languages);
  select.replaceChildren(
    ...Object.entries(LANGUAGES).map(([value, { name, code }]) => {
      const option = new Option(name, value);
      option.lang = code;
      return option;
    }),
  );
  select.value = name;
  select.addEventListener('change', () => {
    const chosen = select.value as LanguageName;
    try {
      storage.setItem(KEY, chosen);
    } catch {
      // Without storage, the choice lasts only as long as the page.
    }
    void change(select, chosen);
  });
  writePage(document);
  await change(select, name);
}

async function change(select: HTMLSelectElement, name: LanguageName): Promise<void> {
  const { code, dir, load }: Language = LANGUAGES[name];
  try {
    const loaded = await load();
    // Another one may have been chosen meanwhile.
    if (select.value !== name) return;
    Object.assign(document.documentElement, { lang: code, dir });
    speak(loaded);
  } catch {
    // The language's file did not come, offline or while a release is published. The page stays in the language that it has.
    const { lang } = document.documentElement;
    select.value = Object.entries(LANGUAGES).find(([, other]) => other.code === lang)?.[0] ?? 'en';
  }
}

import { byId } from '../dom';

/** Gives a select its options, with one of them selected. */
export function fill<T>(
  select: HTMLSelectElement,
  entries: readonly T[],
  selected: T,
  describe: (entry: T) => [value: string, text: string],
  disabled: (entry: T) => boolean = () => false,
): void {
  select.replaceChildren(
    ...entries.map((entry) => {
      const [value, text] = describe(entry);
      const option = new Option(text, value, false, entry === selected);
      option.disabled = disabled(entry);
      return option;
    }),
  );
}

/** Writes a text into the element with this id. */
export function note(id: string, text: string): void {
  byId(id, HTMLElement).textContent = text;
}

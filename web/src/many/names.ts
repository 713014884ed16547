/** What a system may refuse in a file's name, or take for a folder. */
const FORBIDDEN = /[\u0000-\u001f\u007f<>:"/\\|?*]/g;

/** Names the files of an archive: after the photos, and no two alike, on any system. */
export class Names {
  readonly #used = new Set<string>();

  /**
   * "sunset-portrait.png", then "sunset (2)-portrait.png".
   *
   * @param file the photo's file name. @param product what was made of it.
   */
  next(file: string, product: string): string {
    const stem = file.replace(/\.[^.]*$/, '').replace(FORBIDDEN, '_').replace(/^\.+/, '') || 'photo';
    for (let number = 1; ; number++) {
      const name = `${stem}${number === 1 ? '' : ` (${number})`}-${product}.png`;
      // Many systems take capital and small letters for the same, and so they do two spellings of one accent.
      const key = name.normalize('NFC').toLowerCase();
      if (this.#used.has(key)) continue;
      this.#used.add(key);
      return name;
    }
  }
}

/** The resolutions that a person chose on this device, by model. What the page chose by itself is not kept. */
export class Remembered {
  readonly #storage: Pick<Storage, 'getItem' | 'setItem'>;

  constructor(storage: Pick<Storage, 'getItem' | 'setItem'>) {
    this.#storage = storage;
  }

  /** The side that was chosen, or null. The site may have that no more. */
  resolution(model: string): string | null {
    return this.#storage.getItem(keyOf(model));
  }

  keep(model: string, resolution: string): void {
    try {
      this.#storage.setItem(keyOf(model), resolution);
    } catch {
      // Without storage, the choice lasts only as long as the page.
    }
  }
}

function keyOf(model: string): string {
  return `resolution ${model}`;
}

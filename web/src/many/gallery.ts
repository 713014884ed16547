import type { Choice } from '../../lib/choice/choose';
import { byId } from '../dom';
import { onLanguage, words } from '../words/words';
import { isLeft, type Item } from './item';
import { whyNot } from './words';

/** The grid: a tile for each photo, which opens it, and a line for each file that was not drawn. */
export class Gallery {
  readonly #grid = byId('many-grid', HTMLElement);
  readonly #errors = byId('many-errors', HTMLElement);
  readonly #open: (item: Item) => void;
  readonly #tiles = new Map<Item, HTMLButtonElement>();
  #opened: Item | undefined;

  constructor(open: (item: Item) => void) {
    this.#open = open;
    onLanguage(() => this.#sayAll());
  }

  /** Takes all tiles away and shows these. */
  fill(items: readonly Item[]): void {
    this.#tiles.clear();
    this.#opened = undefined;
    this.#errors.replaceChildren();
    this.#errors.hidden = true;
    this.#grid.replaceChildren(...items.map((item) => this.#tile(item)));
  }

  /** Shows what has become of a photo. */
  show(item: Item): void {
    const tile = this.#tiles.get(item)!;
    tile.querySelector('img')?.remove();
    if (item.made !== undefined) tile.prepend(pictureOf(item.made.small));
    this.#say(item);
  }

  /** Dims what was drawn with other settings. */
  dim(now: Choice): void {
    for (const [item, tile] of this.#tiles) tile.classList.toggle('old', item.made !== undefined && isLeft(item, now));
  }

  /** Goes back to the photo that was opened last. */
  focus(): void {
    if (this.#opened !== undefined) this.#tiles.get(this.#opened)?.focus();
  }

  /** Says all again, in another language. */
  #sayAll(): void {
    this.#errors.replaceChildren();
    for (const item of this.#tiles.keys()) this.#say(item);
  }

  #say(item: Item): void {
    const { file, failure } = item;
    const tile = this.#tiles.get(item)!;
    tile.classList.toggle('failed', failure !== undefined);
    tile.disabled = failure !== undefined;
    tile.ariaLabel = failure === undefined ? words.many.open(file.name) : null;
    tile.querySelector('.readout')?.remove();
    if (failure === undefined) return;
    tile.append(Object.assign(document.createElement('span'), { className: 'readout', textContent: words.many.notDrawn }));
    this.#errors.append(Object.assign(document.createElement('li'), { textContent: whyNot(file, failure) }));
    this.#errors.hidden = false;
  }

  #tile(item: Item): HTMLElement {
    const tile = document.createElement('button');
    tile.type = 'button';
    tile.className = 'tile';
    tile.dataset['testid'] = 'many-item';
    tile.title = item.file.name;
    const name = Object.assign(document.createElement('span'), { className: 'name', textContent: item.file.name });
    tile.append(name);
    tile.ariaLabel = words.many.open(item.file.name);
    tile.addEventListener('click', () => {
      this.#opened = item;
      this.#open(item);
    });
    this.#tiles.set(item, tile);
    const place = document.createElement('li');
    place.append(tile);
    return place;
  }
}

/** The name is said beside it. */
function pictureOf(small: Blob): HTMLImageElement {
  const image = new Image();
  image.alt = '';
  image.draggable = false;
  image.addEventListener('load', () => URL.revokeObjectURL(image.src), { once: true });
  image.src = URL.createObjectURL(small);
  return image;
}

import { type Rect, type Size, wholeOf } from '../../lib/geometry';
import { byId } from '../dom';
import { words, write } from '../words/words';
import { type Actions, DOUBLE_MS, listenForGestures } from './gestures';
import { middleOf, moved, type Pane, paneAround, photoZoom, type Point, zoomAt } from './pane';

/** The most that a drawing is enlarged, unless that shows its pixels smaller than twice their size. */
const MOST = 8;
/** What a key or a button enlarges by, what a double tap does, and what an arrow key moves by, as a share of the sheet. */
const [STEP, DOUBLE, MOVE] = [1.5, 3, 0.1];
const GLIDE_MS = 160;
const MIDDLE = { x: 0.5, y: 0.5 };
const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [1, 0],
  ArrowRight: [-1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

/** Enlarges photo and drawing together, and moves in both: with wheel, fingers, mouse, keys and buttons. */
export class Zoom {
  readonly #photoSheet = byId('photo-view', HTMLElement);
  readonly #resultSheet = byId('result-view', HTMLElement);
  readonly #compare = byId('compare', HTMLInputElement);
  readonly #controls = byId('zoom', HTMLElement);
  readonly #reset = byId('zoom-reset', HTMLButtonElement);
  readonly #nearer = byId('zoom-in', HTMLButtonElement);
  readonly #further = byId('zoom-out', HTMLButtonElement);
  #photo: Size | undefined;
  /** The part of the photo that was drawn; all of it as long as there is no drawing. */
  #part: Rect = wholeOf({ width: 1, height: 1 });
  #zoom = 1;
  #middle: Point = MIDDLE;
  #gliding = 0;
  /** Where a glide ends. */
  #goal = { zoom: 1, middle: MIDDLE as Point };
  /** When the slider was last pressed, and where it was before that tap or double tap. */
  #pressed = -Infinity;
  #split = '0';

  constructor() {
    listenForGestures(this.#photoSheet, '.handle, .face', this.#actions(() => wholeOf(this.#photo!), () => this.#photoPane()));
    listenForGestures(this.#resultSheet, '.split', this.#actions(() => this.#part, () => this.#resultPane()));
    this.#nearer.addEventListener('click', () => this.#step(STEP));
    this.#further.addEventListener('click', () => this.#step(1 / STEP));
    this.#reset.addEventListener('click', () => this.#glide(1, this.#middle));
    for (const section of document.querySelectorAll<HTMLElement>('.photo, .result')) {
      section.addEventListener('keydown', (event) => this.#press(event));
    }
    const remember = ({ timeStamp }: PointerEvent) => {
      if (timeStamp - this.#pressed > DOUBLE_MS) this.#split = this.#compare.value;
      this.#pressed = timeStamp;
    };
    this.#resultSheet.addEventListener('pointerdown', remember, { capture: true });
  }

  /** Begins with all of a photo. */
  open(photo: Size): void {
    this.#photo = photo;
    this.#part = wholeOf(photo);
    this.#controls.hidden = false;
    this.#set(1, this.#middle);
  }

  /** Keeps to the part of the photo that was drawn. */
  drawn(part: Rect): void {
    this.#part = part;
    this.#set(this.#zoom, this.#middle);
  }

  /** Ends, because there is no photo any more. */
  close(): void {
    this.#set(1, this.#middle);
    this.#photo = undefined;
    this.#controls.hidden = true;
  }

  get #most(): number {
    return Math.max(MOST, (2 * this.#part.width) / Math.max(1, this.#resultSheet.clientWidth));
  }

  #photoPane(): Pane {
    const photo = this.#photo!;
    return paneAround(wholeOf(photo), photoZoom(this.#zoom, photo, this.#part), this.#middle);
  }

  #resultPane(): Pane {
    return paneAround(this.#part, this.#zoom, this.#middle);
  }

  /** What gestures do on a sheet. The other sheet follows. @param shown the part of the photo that is the sheet's whole. */
  #actions(shown: () => Rect, pane: () => Pane): Actions {
    return {
      isOn: () => this.#photo !== undefined,
      isEnlarged: () => this.#zoom > 1,
      pinchBegins: () => this.#restoreSplit(),
      zoomBy: (factor, at) => {
        const before = pane();
        this.#zoom = this.#within(this.#zoom * factor);
        this.#set(this.#zoom, middleOf(shown(), zoomAt(before, pane().zoom, at)));
      },
      moveBy: (dx, dy) => this.#set(this.#zoom, middleOf(shown(), moved(pane(), dx, dy))),
      toggle: (at) => {
        this.#restoreSplit();
        if (this.#zoom > 1) {
          this.#glide(1, this.#middle);
          return;
        }
        const { x, y, width, height } = shown();
        this.#glide(DOUBLE, { x: x + at.x * width, y: y + at.y * height });
      },
    };
  }

  #restoreSplit(): void {
    if (this.#compare.value === this.#split) return;
    this.#compare.value = this.#split;
    this.#compare.dispatchEvent(new Event('input', { bubbles: true }));
  }

  #press(event: KeyboardEvent): void {
    const { key, target, altKey, ctrlKey, metaKey } = event;
    if (this.#photo === undefined || altKey || ctrlKey || metaKey || !(target instanceof HTMLElement)) return;
    if (target.matches('select, textarea, input:not([type=range], [type=checkbox], [type=radio])')) return;
    const arrow = ARROWS[key];
    if (key === '+' || key === '=') this.#step(STEP);
    else if (key === '-') this.#step(1 / STEP);
    else if (key === '0') this.#glide(1, this.#middle);
    else if (arrow !== undefined && this.#zoom > 1 && (target === this.#resultSheet || this.#controls.contains(target))) {
      const { zoom, middle } = this.#goal;
      const next = moved(paneAround(this.#part, zoom, middle), arrow[0] * MOVE, arrow[1] * MOVE);
      this.#glide(zoom, middleOf(this.#part, next));
    } else return;
    event.preventDefault();
  }

  #step(factor: number): void {
    this.#glide(this.#within(this.#goal.zoom * factor), this.#goal.middle);
  }

  #within(zoom: number): number {
    // Nearly whole is whole.
    return zoom < 1.02 ? 1 : Math.min(this.#most, zoom);
  }

  /** Goes there in a moment, or at once for people who do not want motion. */
  #glide(zoom: number, middle: Point): void {
    cancelAnimationFrame(this.#gliding);
    this.#goal = { zoom, middle };
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) {
      this.#set(zoom, middle);
      return;
    }
    const [from, start, begun] = [this.#zoom, this.#middle, performance.now()];
    const step = (now: number) => {
      const share = Math.min(1, Math.max(0, now - begun) / GLIDE_MS);
      const eased = 1 - (1 - share) ** 2;
      this.#apply(from * (zoom / from) ** eased, {
        x: start.x + (middle.x - start.x) * eased,
        y: start.y + (middle.y - start.y) * eased,
      });
      if (share < 1) this.#gliding = requestAnimationFrame(step);
      else this.#set(zoom, middle);
    };
    this.#gliding = requestAnimationFrame(step);
  }

  #set(zoom: number, middle: Point): void {
    cancelAnimationFrame(this.#gliding);
    // Whole, a sheet has its own middle. It is enlarged from there again.
    const { x, y, width, height } = this.#part;
    const settled = zoom === 1 ? { x: x + width / 2, y: y + height / 2 } : middle;
    this.#goal = { zoom, middle: settled };
    this.#apply(zoom, settled);
  }

  #apply(zoom: number, middle: Point): void {
    if (this.#photo === undefined) return;
    this.#zoom = zoom;
    this.#middle = middle;
    place(this.#photoSheet, this.#photoPane());
    place(this.#resultSheet, this.#resultPane());
    write(byId('zoom-level', HTMLElement), () => words.talk.zoomLevel(zoom));
    const whole = zoom === 1;
    // A button that is disabled must not take the focus with it.
    if (whole && (document.activeElement === this.#reset || document.activeElement === this.#further)) this.#nearer.focus();
    this.#reset.disabled = this.#further.disabled = whole;
  }
}

function place(sheet: HTMLElement, { zoom, x, y }: Pane): void {
  sheet.style.setProperty('--zoom', String(zoom));
  sheet.style.setProperty('--x', String(x));
  sheet.style.setProperty('--y', String(y));
  sheet.dataset['zoom'] = zoom.toFixed(2);
  sheet.classList.toggle('enlarged', zoom > 1);
}

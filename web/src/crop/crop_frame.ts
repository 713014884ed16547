import { type Rect, type Size, wholeOf } from '../../lib/geometry';
import { byId } from '../dom';
import { words, write } from '../words/words';
import { type Handle, move, resizeFrame } from './frame';

/** One key press moves a side by this share of the photo's shorter side. */
const STEP = 0.02;

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** The frame on the photo: dragged, resized by its handles, or moved with the arrow keys. */
export class CropFrame {
  readonly #frameElement = byId('crop-frame', HTMLElement);
  readonly #view = byId('photo-view', HTMLElement);
  readonly #enlarged = byId('photo-enlarged', HTMLElement);
  readonly #whole = byId('whole-image', HTMLInputElement);
  readonly #readout = byId('crop-readout', HTMLElement);
  #photo: Size = { width: 1, height: 1 };
  #frame: Rect = wholeOf(this.#photo);
  #touched = false;
  /** Takes back what a finger has dragged, because a second one has come: two fingers zoom. */
  #takeBack: () => void = () => {};

  /** Called when the frame has changed. */
  onChange: () => void = () => {};

  constructor() {
    // Of all sides and corners.
    for (const [x, y] of [-1, 0, 1].flatMap((y) => [-1, 0, 1].map((x) => [x, y]))) {
      if (x !== 0 || y !== 0) this.#frameElement.append(handleAt(x!, y!));
    }
    this.#frameElement.addEventListener('pointerdown', (event) => this.#drag(event));
    this.#frameElement.addEventListener('keydown', (event) => this.#press(event));
    this.#whole.addEventListener('change', () => {
      this.#touched = true;
      this.#show();
    });
  }

  /** Whether the person has set the frame since {@link open}. */
  get touched(): boolean {
    return this.#touched;
  }

  /** The part of the photo to draw, in whole pixels. */
  get rect(): Rect {
    return this.#whole.checked ? wholeOf(this.#photo) : this.#frame;
  }

  /** Puts a frame on a photo; `whole` starts with the whole image and keeps the frame for when that is unticked. */
  open(photo: Size, frame: Rect, whole: boolean): void {
    this.#photo = photo;
    this.#frame = frame;
    this.#whole.checked = whole;
    this.#touched = false;
    this.#show();
  }

  /** Moves the frame to where the person wants it. */
  set(frame: Rect): void {
    this.#whole.checked = false;
    this.#change(frame);
  }

  #change(frame: Rect): void {
    this.#frame = frame;
    this.#touched = true;
    this.#show();
  }

  #drag(event: PointerEvent): void {
    if (event.button !== 0) return;
    if (!event.isPrimary) {
      this.#takeBack();
      return;
    }
    const handle = handleOf(event.target);
    // What is enlarged is moved itself.
    if (handle === null && this.#view.classList.contains('enlarged')) return;
    const [start, touched] = [this.#frame, this.#touched];
    const scale = this.#photo.width / this.#enlarged.getBoundingClientRect().width;
    this.#frameElement.setPointerCapture(event.pointerId);
    const end = new AbortController();
    this.#takeBack = () => {
      end.abort();
      this.#change(start);
      this.#touched = touched;
    };
    const follow = (moved: PointerEvent) => {
      if (moved.pointerId !== event.pointerId) return;
      const dx = (moved.clientX - event.clientX) * scale;
      const dy = (moved.clientY - event.clientY) * scale;
      this.#change(
        handle === null ? move(start, this.#photo, dx, dy) : resizeFrame(start, this.#photo, handle, dx, dy),
      );
    };
    this.#frameElement.addEventListener('pointermove', follow, { signal: end.signal });
    const stop = () => {
      end.abort();
      this.#takeBack = () => {};
    };
    this.#frameElement.addEventListener('lostpointercapture', stop, { signal: end.signal });
  }

  #press(event: KeyboardEvent): void {
    const arrow = ARROWS[event.key];
    if (arrow === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const step = event.altKey ? 1 : Math.max(1, Math.round(STEP * Math.min(this.#photo.width, this.#photo.height)));
    const [dx, dy] = [arrow[0] * step, arrow[1] * step];
    this.#change(
      event.shiftKey
        ? resizeFrame(this.#frame, this.#photo, { x: 1, y: 1 }, dx, dy)
        : move(this.#frame, this.#photo, dx, dy),
    );
  }

  #show(): void {
    const { x, y, width, height } = this.rect;
    const { style, dataset } = this.#frameElement;
    this.#frameElement.hidden = this.#whole.checked;
    style.setProperty('left', `${(100 * x) / this.#photo.width}%`);
    style.setProperty('top', `${(100 * y) / this.#photo.height}%`);
    style.setProperty('width', `${(100 * width) / this.#photo.width}%`);
    style.setProperty('height', `${(100 * height) / this.#photo.height}%`);
    Object.assign(dataset, { x, y, width, height });
    const size = `${width} × ${height}`;
    const whole = this.#whole.checked;
    write(this.#readout, () => (whole ? words.talk.frame(size) : words.talk.frameAt(size, x, y)));
    this.onChange();
  }
}

function handleAt(x: number, y: number): HTMLElement {
  const handle = document.createElement('span');
  handle.className = 'handle';
  Object.assign(handle.dataset, { x, y });
  return handle;
}

function handleOf(target: EventTarget | null): Handle | null {
  if (!(target instanceof HTMLElement) || !target.classList.contains('handle')) return null;
  const side = (value: string | undefined) => Number(value) as -1 | 0 | 1;
  return { x: side(target.dataset['x']), y: side(target.dataset['y']) };
}

import { copy, FaceFinder } from '../../lib/faces/finder';
import type { Rect, Size } from '../../lib/geometry';
import { portraitFrame } from '../crop/frame';

/** In this time the frame makes two thirds of its way to where the face is. */
const EASE_MS = 250;

/** The frame of a live drawing. It follows the largest face smoothly; without a face it goes to the middle. */
export class FaceFollower {
  readonly #finder: FaceFinder;
  readonly #onFailure: (cause: unknown) => void;
  #searching = false;
  /** Where the frame is going. */
  #goal: Rect | undefined;
  #frame: Rect | undefined;
  #moved = 0;

  /** @param onFailure called when a search fails. The frame then stays in the middle, and no other search begins. */
  constructor(finder: FaceFinder, onFailure: (cause: unknown) => void) {
    this.#finder = finder;
    this.#onFailure = onFailure;
  }

  /** Forgets the face, when another camera is opened. */
  reset(): void {
    this.#goal = this.#frame = undefined;
    this.#searching = false;
  }

  /**
   * The part of this frame to draw. Faces are looked for meanwhile, in another worker, so that no frame waits for them.
   *
   * @param now milliseconds.
   */
  async follow(picture: ImageBitmap | VideoFrame, size: Size, now: number): Promise<Rect> {
    if (!this.#searching) {
      this.#searching = true;
      void this.#search(await copy(picture), size);
    }
    const goal = this.#goal ?? portraitFrame(size);
    const share = this.#frame === undefined ? 1 : 1 - Math.exp((this.#moved - now) / EASE_MS);
    this.#frame = between(this.#frame ?? goal, goal, share);
    this.#moved = now;
    return whole(this.#frame, size);
  }

  async #search(picture: Blob | ImageBitmap | VideoFrame, size: Size): Promise<void> {
    try {
      this.#goal = (await this.#finder.find(picture, size, false))[0]?.frame;
      this.#searching = false;
    } catch (cause) {
      this.#goal = undefined;
      this.#onFailure(cause);
    }
  }
}

/** The frame at a share of the way from one to another. */
export function between(from: Rect, to: Rect, share: number): Rect {
  const at = (side: keyof Rect) => from[side] + (to[side] - from[side]) * share;
  return { x: at('x'), y: at('y'), width: at('width'), height: at('height') };
}

/** The nearest square in whole pixels inside the picture. */
export function whole(frame: Rect, picture: Size): Rect {
  const side = Math.min(Math.round(frame.width), picture.width, picture.height);
  const inside = (start: number, length: number) => Math.min(Math.max(0, Math.round(start)), length - side);
  return { x: inside(frame.x, picture.width), y: inside(frame.y, picture.height), width: side, height: side };
}

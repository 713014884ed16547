import { copy, FaceFinder } from '../../lib/faces/finder';
import type { Rect, Size } from '../../lib/geometry';
import { portraitFrame } from '../crop/frame';

/** In this time the frame makes two thirds of its way to where the face is. */
const EASE_MS = 250;
/** A face that seems larger or smaller by less than this share has only been measured differently. */
const SAME_SIZE = 0.12;

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

  /** Looks for the face in the first picture, which is used up, so that its frame begins there. */
  async begin(picture: ImageBitmap | VideoFrame, size: Size): Promise<void> {
    this.reset();
    await this.#search(picture, size);
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
      const [largest] = await this.#finder.find(picture, size, false);
      this.#goal = steady(this.#goal, largest?.frame);
      this.#searching = false;
    } catch (cause) {
      this.#goal = undefined;
      this.#onFailure(cause);
    }
  }
}

/** The new goal, in the size of the one before if both are nearly the same: the drawing's size would flicker else. */
export function steady(before: Rect | undefined, goal: Rect | undefined): Rect | undefined {
  if (before === undefined || goal === undefined) return goal;
  const { width, height } = before;
  if (Math.abs(goal.width - width) > SAME_SIZE * width) return goal;
  return { x: goal.x + (goal.width - width) / 2, y: goal.y + (goal.height - height) / 2, width, height };
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

import { FaceFinder, type FramedFace } from '../../lib/faces/finder';
import type { Rect, Size } from '../../lib/geometry';
import { byId } from '../dom';
import type { Photo } from '../photo/open_photo';
import { words, write } from '../words/words';

/** The faces of the open photo. Where there are several, each has a mark to tap, and a button and a key go to the next. */
export class FaceFrames {
  readonly #finder: FaceFinder;
  readonly #choose: (frame: Rect) => void;
  readonly #view = byId('photo-enlarged', HTMLElement);
  readonly #next = byId('next-face', HTMLButtonElement);
  #photo: Photo | undefined;
  #faces: readonly FramedFace[] = [];
  #framed = 0;
  #marks: readonly HTMLButtonElement[] = [];

  /** @param choose called with the frame of a face that the person picked. */
  constructor(finder: FaceFinder, choose: (frame: Rect) => void) {
    this.#finder = finder;
    this.#choose = choose;
    this.#next.addEventListener('click', () => this.#pick(this.#framed + 1));
    byId('crop-frame', HTMLElement).addEventListener('keydown', (event) => {
      if (event.key.toLowerCase() === 'n' && !event.ctrlKey && !event.metaKey) this.#pick(this.#framed + 1);
    });
  }

  /** Takes the marks away. */
  clear(): void {
    this.#show([], this.#photo);
  }

  /**
   * Looks for faces in a photo, and marks them.
   *
   * @returns the frame of the largest face, or null if the photo shows none.
   * @throws U2NetError as {@link FaceFinder.find} does.
   */
  async find(photo: Photo): Promise<Rect | null> {
    this.#photo = photo;
    const faces = await this.#finder.find(photo.file, photo);
    if (this.#photo !== photo) return null;
    this.#show(faces, photo);
    return faces[0]?.frame ?? null;
  }

  #pick(index: number): void {
    if (this.#faces.length < 2) return;
    this.#framed = index % this.#faces.length;
    this.#label();
    this.#choose(this.#faces[this.#framed]!.frame);
  }

  #show(faces: readonly FramedFace[], photo: Size | undefined): void {
    for (const mark of this.#marks) mark.remove();
    this.#faces = faces;
    this.#framed = 0;
    this.#marks = photo === undefined || faces.length < 2 ? [] : faces.map((face, index) => this.#mark(face, index, photo));
    this.#view.append(...this.#marks);
    this.#next.hidden = faces.length < 2;
    this.#label();
  }

  #mark({ box }: FramedFace, index: number, photo: Size): HTMLButtonElement {
    const mark = document.createElement('button');
    mark.type = 'button';
    mark.className = 'face';
    mark.dataset['testid'] = 'face';
    const faces = this.#faces.length;
    write(mark, () => words.talk.drawFace(index + 1, faces), 'aria-label');
    mark.style.setProperty('left', `${(100 * box.x) / photo.width}%`);
    mark.style.setProperty('top', `${(100 * box.y) / photo.height}%`);
    mark.style.setProperty('width', `${(100 * box.width) / photo.width}%`);
    mark.style.setProperty('height', `${(100 * box.height) / photo.height}%`);
    mark.addEventListener('click', () => this.#pick(index));
    return mark;
  }

  /** Marks all faces but the one in the frame: there, the mark would be in the way of moving the frame. */
  #label(): void {
    write(this.#next, () => words.talk.nextFace(this.#framed + 1, this.#faces.length));
    for (const [index, mark] of this.#marks.entries()) mark.hidden = index === this.#framed;
  }
}

import type { U2NetError } from '../../lib/errors';
import type { Task } from '../../lib/site/catalogue';
import type { Drawing, PngFiles } from '../../lib/worker/protocol';
import { byId } from '../dom';
import { Failure, words, write } from '../words/words';

/** The drawing: shown beside the photo it came from, saved, copied. */
export class ResultView {
  readonly #empty = byId('result-empty', HTMLElement);
  readonly #stale = byId('result-stale', HTMLElement);
  readonly #view = byId('result-view', HTMLElement);
  readonly #result = byId('result', HTMLCanvasElement);
  readonly #cutOut = byId('cut-out', HTMLCanvasElement);
  readonly #before = byId('before', HTMLCanvasElement);
  readonly #compare = byId('compare', HTMLInputElement);
  readonly #products = byId('products', HTMLFieldSetElement);
  readonly #productCutOut = byId('product-cut-out', HTMLInputElement);
  readonly #actions = byId('result-actions', HTMLElement);
  readonly #download = byId('download', HTMLAnchorElement);
  readonly #copy = byId('copy', HTMLButtonElement);
  #files: PngFiles | undefined;
  #hasCutOut = false;
  #name = '';
  #task: Task = 'portrait';

  constructor(onError: (error: U2NetError) => void, say: (text: string) => void) {
    this.#compare.addEventListener('input', () => this.#split());
    this.#products.addEventListener('change', () => this.#show());
    this.#copy.addEventListener('click', () => {
      const file = this.#file();
      if (file === null) return;
      copy(file).then(() => say(words.talk.copied), onError);
    });
    this.#split();
  }

  /**
   * Shows a drawing, or a live frame if it comes without a photo. Its bitmaps are used up.
   *
   * @param name the photo's name, after which the files are named.
   */
  show(drawing: Drawing, task: Task, name: string, facts: () => string): void {
    const { picture, cutOut, photo } = drawing;
    if (picture === null) throw new Error('There is no picture to show');
    const preview = photo === null;
    this.#setFiles(undefined);
    this.#task = task;
    this.#name = name;
    this.#hasCutOut = cutOut !== null;
    this.#view.style.setProperty('--aspect', String(picture.width / picture.height));
    this.#view.style.setProperty('--width', `${picture.width}px`);
    paint(this.#result, picture);
    if (cutOut !== null) paint(this.#cutOut, cutOut);
    if (photo !== null) paint(this.#before, photo);
    this.#before.hidden = preview;
    this.#compare.hidden = preview;
    this.#view.hidden = false;
    this.#empty.hidden = true;
    this.stale(false);
    // The whole result first; the photo is drawn over it from the left.
    this.#compare.value = '0';
    this.#split();
    this.#products.hidden = !this.#hasCutOut;
    this.#actions.hidden = preview;
    write(byId('result-facts', HTMLElement), facts);
    this.#show();
  }

  /** Whether a drawing is shown. */
  get isShown(): boolean {
    return !this.#view.hidden;
  }

  /** Takes the drawing away. */
  clear(): void {
    this.#setFiles(undefined);
    for (const part of [this.#view, this.#products, this.#actions]) part.hidden = true;
    write(byId('result-facts', HTMLElement), () => '');
    this.stale(false);
    this.#empty.hidden = false;
  }

  /** Dims the drawing if it is not what the present settings would make. */
  stale(stale: boolean): void {
    this.#stale.hidden = !stale;
    this.#view.classList.toggle('stale', stale);
  }

  /** Allows saving and copying the shown drawing. */
  offer(files: PngFiles): void {
    this.#setFiles(files);
    this.#show();
  }

  /** Turns mirroring of a live drawing on or off. */
  mirror(mirrored: boolean): void {
    this.#view.classList.toggle('mirrored', mirrored);
  }

  #setFiles(files: PngFiles | undefined): void {
    this.#files = files;
    URL.revokeObjectURL(this.#download.href);
    this.#download.removeAttribute('href');
  }

  #file(): Blob | null {
    return (this.#showsCutOut() ? this.#files?.cutOut : this.#files?.picture) ?? null;
  }

  #showsCutOut(): boolean {
    return this.#hasCutOut && this.#productCutOut.checked;
  }

  #show(): void {
    const cutOut = this.#showsCutOut();
    this.#result.hidden = cutOut;
    this.#cutOut.hidden = !cutOut;
    this.#view.classList.toggle('checkered', cutOut);
    const file = this.#file();
    this.#copy.disabled = file === null;
    this.#download.setAttribute('aria-disabled', String(file === null));
    if (file === null) return;
    URL.revokeObjectURL(this.#download.href);
    this.#download.href = URL.createObjectURL(file);
    const product = cutOut ? 'cut-out' : this.#task === 'saliency' ? 'mask' : 'portrait';
    this.#download.download = `${this.#name}-${product}.png`;
  }

  #split(): void {
    this.#view.style.setProperty('--split', `${this.#compare.value}%`);
  }
}

function paint(canvas: HTMLCanvasElement, bitmap: ImageBitmap): void {
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext('bitmaprenderer')?.transferFromImageBitmap(bitmap);
}

async function copy(file: Blob): Promise<void> {
  try {
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': file })]);
  } catch (cause) {
    throw new Failure('internal', () => words.failures.copyRefused, { cause });
  }
}

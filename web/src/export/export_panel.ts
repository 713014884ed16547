import { reasonOf, U2NetError } from '../../lib/errors';
import { said } from '../../lib/messages';
import { byId } from '../dom';
import { saveFile } from '../save';
import { Failure, tell, words } from '../words/words';
import { type Background, boundsOf, colourOf, drawBackground, tint } from './compose';

/** Finishes the result that is shown: background of a cut-out, colours of a drawing, file format; saved or shared at full size. */
export class ExportPanel {
  readonly #panel = byId('export', HTMLDetailsElement);
  readonly #finished = byId('finished', HTMLCanvasElement);
  readonly #result = byId('result', HTMLCanvasElement);
  readonly #cutOut = byId('cut-out', HTMLCanvasElement);
  readonly #before = byId('before', HTMLCanvasElement);
  readonly #kind = byId('background', HTMLSelectElement);
  readonly #colour = byId('background-colour', HTMLInputElement);
  readonly #file = byId('background-file', HTMLInputElement);
  readonly #trim = byId('trim', HTMLInputElement);
  readonly #ink = byId('ink', HTMLInputElement);
  readonly #paper = byId('paper', HTMLInputElement);
  readonly #noPaper = byId('no-paper', HTMLInputElement);
  readonly #format = byId('format', HTMLSelectElement);
  readonly #onError: (error: U2NetError) => void;
  #picture: ImageBitmap | undefined;

  constructor(onError: (error: U2NetError) => void) {
    this.#onError = onError;
    this.#panel.addEventListener('toggle', () => this.show());
    this.#panel.addEventListener('input', () => this.show());
    this.#file.addEventListener('change', () => void this.#open());
    byId('products', HTMLFieldSetElement).addEventListener('change', () => this.show());
    // After the drawing is on its canvases.
    window.addEventListener('drawing', () => this.show());
    // Live frames have no actions: what was finished before must not cover them.
    const actions = byId('result-actions', HTMLElement);
    new MutationObserver(() => this.show()).observe(actions, { attributeFilter: ['hidden'] });
    byId('save', HTMLButtonElement).addEventListener('click', () => void this.#offer((file) => saveFile(file, file.name)));
    const share = byId('share', HTMLButtonElement);
    share.hidden = !('canShare' in navigator);
    share.addEventListener('click', () => void this.#offer((file) => this.#share(file)));
    this.show();
  }

  /** Shows the result as it will be saved, but not trimmed, beside the photo that it is compared with. */
  show(): void {
    const hidden = byId('result-actions', HTMLElement).hidden;
    const isCutOut = !this.#cutOut.hidden;
    byId('export-cut-out', HTMLElement).hidden = !isCutOut;
    byId('export-drawing', HTMLElement).hidden = !this.#isDrawing;
    this.#colour.hidden = this.#kind.value !== 'colour';
    byId('background-choose', HTMLElement).hidden = this.#kind.value !== 'picture';
    this.#paper.disabled = this.#noPaper.checked;
    this.#panel.hidden = hidden;
    this.#finished.hidden = hidden || !this.#panel.open;
    if (!this.#finished.hidden) this.#compose();
    const seeThrough = this.#isDrawing && this.#noPaper.checked;
    byId('result-view', HTMLElement).classList.toggle('checkered', isCutOut || (!this.#finished.hidden && seeThrough));
  }

  /** A drawing has no cut-out to choose instead. */
  get #isDrawing(): boolean {
    return byId('products', HTMLFieldSetElement).hidden === true;
  }

  #compose(): void {
    const { width, height } = this.#result;
    Object.assign(this.#finished, { width, height });
    const context = contextOf(this.#finished);
    if (!this.#cutOut.hidden) {
      drawBackground(context, this.#background(), this.#before);
      context.drawImage(this.#cutOut, 0, 0);
      return;
    }
    context.drawImage(this.#result, 0, 0);
    if (!this.#isDrawing) return;
    const pixels = context.getImageData(0, 0, width, height);
    tint(pixels.data, colourOf(this.#ink.value), this.#noPaper.checked ? null : colourOf(this.#paper.value));
    context.putImageData(pixels, 0, 0);
  }

  #background(): Background {
    switch (this.#kind.value) {
      case 'colour':
        return { kind: 'colour', colour: this.#colour.value };
      case 'blur':
        return { kind: 'blur' };
      case 'picture':
        return this.#picture === undefined ? { kind: 'none' } : { kind: 'picture', picture: this.#picture };
      default:
        return { kind: 'none' };
    }
  }

  async #open(): Promise<void> {
    const file = this.#file.files?.[0];
    if (file === undefined) return;
    try {
      const picture = await createImageBitmap(file);
      this.#picture?.close();
      this.#picture = picture;
      this.show();
    } catch (cause) {
      this.#onError(new U2NetError('photo-unreadable', said('photoUnreadable', file.name), { cause }));
    } finally {
      this.#file.value = '';
    }
  }

  async #offer(hand: (file: File) => Promise<void> | void): Promise<void> {
    try {
      await hand(await this.#encode());
    } catch (cause) {
      // The person closed the platform's own dialogue.
      if (cause instanceof DOMException && cause.name === 'AbortError') return;
      const reason = () => (cause instanceof Failure ? cause.write() : tell(reasonOf(cause)));
      this.#onError(new Failure('internal', () => words.failures.notHandedOver(reason()), { cause }));
    }
  }

  async #encode(): Promise<File> {
    this.#compose();
    const type = this.#format.value;
    const whole = { x: 0, y: 0, width: this.#finished.width, height: this.#finished.height };
    const trims = !this.#cutOut.hidden && this.#trim.checked;
    const part = trims ? boundsOf(pixelsOf(this.#cutOut).data, whole) : whole;
    const canvas = new OffscreenCanvas(part.width, part.height);
    const context = contextOf(canvas);
    if (type === 'image/jpeg') {
      // JPEG knows no transparency.
      context.fillStyle = 'white';
      context.fillRect(0, 0, part.width, part.height);
    }
    context.drawImage(this.#finished, -part.x, -part.y);
    const content = await canvas.convertToBlob({ type, quality: 0.92 });
    // A browser that cannot write a format writes PNG.
    const ending = content.type.replace('image/', '').replace('jpeg', 'jpg');
    const name = byId('download', HTMLAnchorElement).download.replace(/\.\w+$/, '') || 'drawing';
    return new File([content], `${name}.${ending}`, { type: content.type });
  }

  async #share(file: File): Promise<void> {
    if (!navigator.canShare({ files: [file] })) throw new Failure('internal', () => words.failures.sharesNoPictures);
    await navigator.share({ files: [file] });
  }
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D;
function contextOf(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D;
function contextOf(canvas: HTMLCanvasElement | OffscreenCanvas) {
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new RangeError(`no canvas of ${canvas.width} × ${canvas.height} pixels`);
  return context;
}

/** The pixels of a canvas that another context shows. */
function pixelsOf(source: HTMLCanvasElement): ImageData {
  const context = contextOf(new OffscreenCanvas(source.width, source.height));
  context.drawImage(source, 0, 0);
  return context.getImageData(0, 0, source.width, source.height);
}

/**
 * `<u2net-portrait src="photo.jpg">` shows a photo, and then the drawing in its place.
 *
 * Attributes: `src` is the photo's address. `model` is the name of a model; without it, the element takes the site's first
 * portrait model. `site` is the address of the site; without it, the element takes the site from which this script was
 * loaded. `alt` says what the drawing shows.
 *
 * The attribute `state` is "drawing", "done" or "failed". Events: `load` when the drawing is shown, `error` with a
 * U2NetError as its `error`. The shadow part of the picture is "picture".
 */
import { listModels, loadModel, type Model, type SiteOptions, U2NetError } from './u2net';

/** Elements with the same model share one worker. They draw one after another. */
const models = new Map<string, Promise<Model>>();

export class U2NetPortrait extends HTMLElement {
  static readonly observedAttributes = ['src', 'model', 'site', 'alt'];
  readonly #shadow = this.attachShadow({ mode: 'open' });
  #drawing: AbortController | undefined;

  connectedCallback(): void {
    void this.#draw();
  }

  disconnectedCallback(): void {
    this.#drawing?.abort();
  }

  attributeChangedCallback(name: string): void {
    if (!this.isConnected) return;
    if (name === 'alt') this.#label();
    else void this.#draw();
  }

  async #draw(): Promise<void> {
    this.#drawing?.abort();
    const src = this.getAttribute('src');
    if (src === null) return;
    const drawing = new AbortController();
    this.#drawing = drawing;
    this.setAttribute('state', 'drawing');
    const photo = new Image();
    // The page may read a photo of another origin only if that server allows it. If not, `draw` says so.
    photo.crossOrigin = 'anonymous';
    photo.src = src;
    this.#show(photo);
    try {
      const model = await modelOf(this.getAttribute('model'), this.getAttribute('site'));
      this.#show(await model.draw(src, { signal: drawing.signal }));
      this.setAttribute('state', 'done');
      this.dispatchEvent(new Event('load'));
    } catch (error) {
      if (drawing.signal.aborted) return;
      this.setAttribute('state', 'failed');
      const message = error instanceof Error ? error.message : String(error);
      this.dispatchEvent(new ErrorEvent('error', { error, message }));
    }
  }

  #show(picture: HTMLElement): void {
    picture.part.add('picture');
    picture.style.maxWidth = '100%';
    this.#shadow.replaceChildren(picture);
    this.#label();
  }

  #label(): void {
    const [picture] = this.#shadow.children;
    picture?.setAttribute('role', 'img');
    picture?.setAttribute('aria-label', this.getAttribute('alt') ?? '');
  }
}

function modelOf(name: string | null, site: string | null): Promise<Model> {
  const key = `${name} ${site}`;
  const known = models.get(key);
  if (known !== undefined) return known;
  const options = site === null ? {} : { site };
  const loading = (name === null ? portraitModel(options) : Promise.resolve(name)).then((found) =>
    loadModel(found, options),
  );
  models.set(key, loading);
  // After a failure, the next element tries again.
  loading.catch(() => models.delete(key));
  return loading;
}

async function portraitModel(options: SiteOptions): Promise<string> {
  const offers = await listModels(options);
  const portrait = offers.find(({ task }) => task !== 'saliency');
  if (portrait !== undefined) return portrait.name;
  const names = offers.map(({ name }) => name).join(', ');
  throw new U2NetError('not-offered', `The site has no portrait model. Name one of its models in the attribute "model": ${names}.`);
}

customElements.define('u2net-portrait', U2NetPortrait);

declare global {
  interface HTMLElementTagNameMap {
    'u2net-portrait': U2NetPortrait;
  }
}

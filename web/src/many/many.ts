import { startsByItself } from '../../lib/choice/choose';
import { asU2NetError, type ErrorCode } from '../../lib/errors';
import type { FaceFinder } from '../../lib/faces/finder';
import { type Rect, wholeOf } from '../../lib/geometry';
import type { Activity } from '../activity/activity';
import { portraitFrame } from '../crop/frame';
import { byId } from '../dom';
import { announce } from '../drawing/announce';
import type { Artist } from '../drawing/artist';
import { productOf } from '../drawing/choices';
import { closePhoto, openPhoto, type Photo } from '../photo/open_photo';
import { note } from '../settings/select';
import type { Settings } from '../settings/settings';
import type { Studio } from '../studio';
import { showView, shownView } from '../view';
import { elementsOf, onLanguage, words } from '../words/words';
import { saveAll } from './archive';
import { Gallery } from './gallery';
import { isLeft, type Item } from './item';
import markup from './many.html?raw';
import { Names } from './names';
import { keep } from './picture';
import { Progress } from './progress';
import { Shelf } from './shelf';

// The grid and its buttons come with this module.
document.querySelector('.result')!.before(elementsOf(markup));

/** What is wrong with one photo. The others can still be drawn. */
const OF_THE_PHOTO: ReadonlySet<ErrorCode> = new Set(['photo-unreadable', 'photo-too-large', 'out-of-memory', 'internal']);

/** Draws many photos in turn, with the chosen settings. Of each, only encoded pictures are kept, the large ones on the disk. */
export class Many {
  readonly #artist: Artist;
  readonly #settings: Settings;
  readonly #activity: Activity;
  readonly #finder: FaceFinder;
  readonly #studio: Studio;
  readonly #progress = new Progress();
  readonly #gallery = new Gallery((item) => void this.#studio.open(item.file, item.file.name));
  readonly #run = byId('many-run', HTMLButtonElement);
  readonly #zip = byId('many-zip', HTMLButtonElement);
  readonly #back = byId('many-back', HTMLButtonElement);
  #items: readonly Item[] = [];
  #names = new Names();
  readonly #shelf = new Shelf();
  #noFaces = false;

  constructor(artist: Artist, settings: Settings, activity: Activity, finder: FaceFinder, studio: Studio) {
    this.#artist = artist;
    this.#settings = settings;
    this.#activity = activity;
    this.#finder = finder;
    this.#studio = studio;
    this.#run.addEventListener('click', () => void this.#draw());
    this.#zip.addEventListener('click', () => void this.#save());
    this.#back.addEventListener('click', () => void this.#return());
    byId('many-close', HTMLButtonElement).addEventListener('click', () => void this.#close());
    settings.onChange(() => this.#refresh());
    onLanguage(() => this.#refresh());
  }

  /** Shows photos in place of those before, and draws them if that costs little to begin. */
  async open(files: readonly File[]): Promise<void> {
    if (!(await this.#studio.makeWay())) return;
    this.#activity.clearError();
    this.#activity.say('');
    this.#forget(this.#items);
    this.#items = files.map((file) => ({ file }));
    this.#names = new Names();
    this.#gallery.fill(this.#items);
    this.#progress.reset();
    this.#back.hidden = false;
    this.#show();
    const items = this.#items;
    const { choice, machine } = this.#settings;
    const { model, engine } = await this.#settings.missing();
    if (items === this.#items && shownView() === 'many' && startsByItself(choice, machine, model + engine)) await this.#draw();
  }

  get #left(): Item[] {
    return this.#items.filter((item) => isLeft(item, this.#settings.choice));
  }

  get #made(): NonNullable<Item['made']>[] {
    return this.#items.flatMap(({ made }) => made ?? []);
  }

  /** Draws what is left to draw, one photo after another, until all are drawn or it is cancelled. */
  async #draw(): Promise<void> {
    const hadFocus = await this.#artist.inTurn(this.#run, async (stopped) => {
      this.#activity.say(words.many.begun(this.#left.length));
      this.#noFaces = false;
      this.#progress.begin(this.#left.length);
      this.#refresh();
      try {
        for (let item = this.#left[0]; item !== undefined && !stopped.aborted; item = this.#left[0]) {
          this.#progress.next();
          await this.#drawOne(item, stopped);
          this.#refresh();
        }
      } finally {
        this.#progress.reset();
        this.#refresh();
        const [drawn, all] = [this.#made.length, this.#items.length];
        this.#activity.done(stopped.aborted ? words.many.stopped(drawn, all) : this.#summary());
      }
    });
    this.#refresh();
    if (hadFocus) (this.#run.hidden ? this.#zip : this.#run).focus({ preventScroll: true });
  }

  /** @throws U2NetError if the next photo would fail for the same reason. */
  async #drawOne(item: Item, stopped: AbortSignal): Promise<void> {
    let photo: Photo | undefined;
    try {
      photo = await openPhoto(item.file, item.file.name);
      const crop = await this.#frame(photo);
      if (stopped.aborted) return;
      const products = ['png', this.#settings.choice.model.task === 'saliency' ? 'cut-out' : 'picture'] as const;
      const made = await this.#artist.draw({ photo: photo.file, size: photo, crop, products }, (...progress) =>
        this.#progress.stage(...progress),
      );
      if (made === null) return;
      announce(made, crop);
      const { choice } = made;
      const before = item.made?.choice.model.task === choice.model.task ? item.made?.name : undefined;
      const { file, small } = await keep(made);
      const shelved = await this.#shelf.keep(() => file.stream());
      this.#forget([item]);
      item.made = { file: shelved, small, name: before ?? this.#names.next(item.file.name, productOf(choice)), choice };
    } catch (cause) {
      const error = asU2NetError(cause);
      if (error.code === 'cancelled' || stopped.aborted) return;
      if (!OF_THE_PHOTO.has(error.code)) throw error;
      this.#forget([item]);
      delete item.made;
      item.failure = error;
    } finally {
      if (photo !== undefined) closePhoto(photo);
    }
    this.#gallery.show(item);
  }

  /** The part of a photo with which the page would begin if it were the only one. */
  async #frame(photo: Photo): Promise<Rect> {
    if (this.#settings.choice.model.task === 'saliency') return wholeOf(photo);
    try {
      const [largest] = await this.#finder.find(photo.file, photo);
      return largest?.frame ?? portraitFrame(photo);
    } catch (cause) {
      if (asU2NetError(cause).code === 'photo-unreadable') throw cause;
      this.#noFaces = true;
      return portraitFrame(photo);
    }
  }

  async #save(): Promise<void> {
    this.#zip.disabled = true;
    try {
      await saveAll(this.#made, this.#shelf);
    } catch (cause) {
      this.#activity.fail(asU2NetError(cause));
    } finally {
      this.#refresh();
    }
  }

  /** Shows the grid again, after one of its photos was opened. */
  async #return(): Promise<void> {
    if (!(await this.#studio.makeWay())) return;
    this.#activity.clearError();
    this.#activity.say(this.#summary());
    this.#show();
    this.#gallery.focus();
  }

  async #close(): Promise<void> {
    if (!(await this.#studio.makeWay())) return;
    this.#forget(this.#items);
    this.#items = [];
    this.#gallery.fill([]);
    this.#back.hidden = true;
    this.#activity.clearError();
    this.#activity.say('');
    showView('one');
    byId('file', HTMLInputElement).focus({ preventScroll: true });
  }

  /** Removes what was made of photos from the disk. */
  #forget(items: readonly Item[]): void {
    this.#shelf.discard(items.flatMap(({ made }) => made?.file ?? []));
  }

  #show(): void {
    showView('many');
    this.#refresh();
    document.querySelector('.go')?.scrollIntoView({ block: 'nearest' });
  }

  #summary(): string {
    const failed = this.#items.filter(({ failure }) => failure !== undefined).length;
    const count = words.many.count(this.#made.length, failed, this.#items.length);
    return this.#noFaces ? words.talk.sentences([count, words.many.noFaces]) : count;
  }

  #refresh(): void {
    const left = this.#left.length;
    const busy = this.#artist.busy !== undefined;
    note('many-title', words.many.title(this.#items.length));
    note('many-back', words.many.back(this.#items.length));
    note('many-run', words.many.draw(left, this.#items.length));
    this.#run.hidden = busy || left === 0;
    this.#zip.disabled = this.#made.length === 0;
    note('many-count', this.#summary());
    this.#gallery.dim(this.#settings.choice);
  }
}

import { type Choice, startsByItself } from '../lib/choice/choose';
import { asU2NetError, type U2NetError } from '../lib/errors';
import type { FaceFinder } from '../lib/faces/finder';
import type { Rect } from '../lib/geometry';
import { Activity } from './activity/activity';
import { Camera } from './camera/camera';
import { LiveDrawing } from './camera/live_drawing';
import { byId } from './dom';
import { announce } from './drawing/announce';
import { Artist } from './drawing/artist';
import { drawAlike } from './drawing/choices';
import { facts, figures } from './drawing/words';
import { FaceFollower } from './faces/face_follower';
import { closePhoto, openPhoto, type Photo } from './photo/open_photo';
import { PhotoView } from './photo/photo_view';
import { ResultView } from './result/result_view';
import type { Said } from '../lib/messages';
import { Settings } from './settings/settings';
import { showView } from './view';
import { Zoom } from './zoom/zoom';
import { explain, Failure, tell, words, write } from './words/words';

/** What is made of a photo. Of a live frame, only the picture is made. */
const PRODUCTS = ['picture', 'cut-out', 'photo', 'png'] as const;

/** Connects photo, camera and drawing: what follows when a person opens a photo or presses a button. */
export class Studio {
  readonly #settings: Settings;
  readonly #activity: Activity;
  readonly #artist: Artist;
  readonly #view: PhotoView;
  readonly #camera = new Camera();
  readonly #live: LiveDrawing;
  readonly #results: ResultView;
  readonly #zoom = new Zoom();
  /** What the shown drawing was made of. */
  #shown: { readonly crop: Rect; readonly choice: Choice } | undefined;
  /** Counts the photos that were opened. If a newer photo comes while one is being opened, the older one is dropped. */
  #opened = 0;

  constructor(artist: Artist, settings: Settings, activity: Activity, finder: FaceFinder) {
    this.#artist = artist;
    this.#settings = settings;
    this.#activity = activity;
    this.#view = new PhotoView(settings, activity, finder);
    this.#results = new ResultView(
      (error) => activity.fail(error),
      (text) => activity.done(text),
    );
    const follower = new FaceFollower(finder, (cause) =>
      activity.say(words.talk.facesFailed(explain(asU2NetError(cause)))),
    );
    this.#live = new LiveDrawing(this.#camera, artist, settings, this.#results, activity, follower);

    const listen = (id: string, act: () => void) => byId(id, HTMLButtonElement).addEventListener('click', act);
    listen('run', () => void this.draw());
    listen('cancel', () => artist.cancel());
    listen('camera-open', () => void this.#openCamera());
    listen('camera-close', () => this.#closeCamera());
    listen('camera-turn', () => void this.#openCamera(() => this.#camera.turn()));
    listen('capture', () => void this.#capture());
    listen('check-device', () => void this.#check());
    settings.onChange(() => {
      this.#view.frameForModel();
      this.#dim();
    });
    this.#view.onFrame = () => this.#dim();
  }

  /**
   * Opens a photo in place of the previous one, and draws it if that costs little. If it cannot be opened, the previous
   * one stays, with its drawing.
   */
  async open(file: Blob, fileName: string): Promise<void> {
    const turn = ++this.#opened;
    let photo: Photo;
    try {
      photo = await openPhoto(file, fileName);
    } catch (cause) {
      if (turn === this.#opened) this.#activity.fail(asU2NetError(cause));
      return;
    }
    if (turn === this.#opened) await this.#end();
    if (turn !== this.#opened) {
      closePhoto(photo);
      return;
    }
    showView('one');
    this.#activity.clearError();
    this.#clear();
    this.#view.show(photo);
    this.#showPanels();
    await this.#view.frameFace();
    const { choice, machine } = this.#settings;
    const { model, engine } = await this.#settings.missing();
    if (turn === this.#opened && startsByItself(choice, machine, model + engine)) await this.draw();
  }

  /** Ends the camera, or what is being drawn, for something else. @returns whether nothing newer has come meanwhile. */
  async makeWay(): Promise<boolean> {
    const turn = ++this.#opened;
    await this.#end();
    return turn === this.#opened;
  }

  async #end(): Promise<void> {
    if (this.#camera.isOpen) this.#closeCamera();
    else this.#artist.cancel();
    await this.#artist.busy;
  }

  /**
   * Draws the crop of the photo.
   *
   * @param force draws even if the drawing is expected not to fit into memory.
   */
  async draw(force = false): Promise<void> {
    const { photo, crop } = this.#view;
    if (photo === undefined || this.#artist.busy !== undefined) return;
    const reason = this.#artist.misfit();
    if (reason !== null && !force) {
      this.#offerWasm(reason);
      return;
    }
    await this.#artist.during(async () => {
      const made = await this.#artist.draw({ photo: photo.file, size: photo, crop, products: PRODUCTS });
      if (made === null) return;
      this.#results.mirror(false);
      this.#results.show(made.drawing, made.choice.model.task, photo.name, () => facts(made));
      this.#zoom.drawn(crop);
      this.#shown = { crop, choice: made.choice };
      this.#dim();
      write(byId('figures', HTMLElement), () => figures(made));
      announce(made, crop);
      void made.files.then(
        (ready) => this.#results.offer(ready),
        (cause: unknown) => this.#notSaved(asU2NetError(cause)),
      );
      this.#activity.done(words.talk.done);
      this.#activity.look();
    });
  }

  /** The drawing stays, but there is no file of it. After a newer one has come, that does not matter. */
  #notSaved(error: U2NetError): void {
    if (error.code !== 'cancelled') this.#activity.fail(error);
  }

  async #check(): Promise<void> {
    if (this.#artist.busy !== undefined) return;
    await this.#artist.during(async () => {
      this.#settings.drawn(await this.#artist.check());
      this.#activity.done(words.talk.checked);
    });
  }

  async #openCamera(open = () => this.#camera.open()): Promise<void> {
    if (!this.#camera.isOpen && !(await this.makeWay())) return;
    this.#activity.clearError();
    try {
      await open();
    } catch (cause) {
      this.#showPanels();
      this.#activity.fail(asU2NetError(cause));
      return;
    }
    showView('one');
    this.#clear();
    this.#showPanels();
    this.#activity.done(words.talk.cameraOn);
    await this.#live.start();
  }

  #closeCamera(): void {
    this.#camera.close();
    this.#clear();
    this.#showPanels();
  }

  async #capture(): Promise<void> {
    try {
      await this.open(await this.#camera.capture(), 'camera.png');
    } catch (cause) {
      this.#activity.fail(asU2NetError(cause));
    }
  }

  /** Takes the drawing away, which is of another photo. */
  #clear(): void {
    this.#shown = undefined;
    this.#results.clear();
  }

  /** Dims the drawing while frame, model or settings are others than it was made with. */
  #dim(): void {
    if (this.#shown === undefined) return;
    const { crop, choice } = this.#shown;
    const now = this.#settings.choice;
    const { x, y, width, height } = this.#view.crop;
    const same = crop.x === x && crop.y === y && crop.width === width && crop.height === height;
    this.#results.stale(!same || !drawAlike(now, choice));
  }

  #showPanels(): void {
    const camera = this.#camera.isOpen;
    const photo = !camera && this.#view.photo !== undefined;
    if (photo) this.#zoom.open(this.#view.photo!);
    else this.#zoom.close();
    byId('drop-zone', HTMLElement).hidden = camera || photo;
    byId('photo-view', HTMLElement).hidden = !photo;
    byId('crop-controls', HTMLElement).hidden = !photo;
    byId('camera-controls', HTMLElement).hidden = !camera;
    byId('camera-open', HTMLElement).hidden = camera;
    byId('run', HTMLButtonElement).disabled = !photo;
  }

  #offerWasm(reason: Said): void {
    const error = new Failure('out-of-memory', () => words.failures.wouldNotFit(tell(reason)));
    this.#activity.fail(error, [
      {
        id: 'use-wasm',
        label: () => words.failures.drawOnProcessor,
        run: () => {
          this.#settings.useBackend('wasm');
          void this.draw();
        },
      },
      { id: 'draw-anyway', label: () => words.failures.tryAnyway, run: () => void this.draw(true) },
    ]);
  }
}

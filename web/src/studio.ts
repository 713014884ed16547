import { type Machine, startsByItself } from '../lib/choice/choose';
import { asU2NetError, U2NetError } from '../lib/errors';
import { filesOf } from '../lib/site/catalogue';
import type { FaceFinder } from '../lib/faces/finder';
import { FileStore } from '../lib/site/file_store';
import { Activity } from './activity/activity';
import { Camera } from './camera/camera';
import { LiveDrawing } from './camera/live_drawing';
import { byId } from './dom';
import { announce } from './drawing/announce';
import { Artist, facts } from './drawing/artist';
import { FaceFollower } from './faces/face_follower';
import { closePhoto, openPhoto, type Photo } from './photo/open_photo';
import { PhotoView } from './photo/photo_view';
import { ResultView } from './result/result_view';
import { Settings } from './settings/settings';

/** What is made of a photo. Of a live frame, only the picture is made. */
const PRODUCTS = ['picture', 'cut-out', 'photo', 'png'] as const;

/** Connects photo, camera and drawing: what follows when a person opens a photo or presses a button. */
export class Studio {
  readonly #settings: Settings;
  readonly #machine: Machine;
  readonly #store: FileStore;
  readonly #activity: Activity;
  readonly #artist: Artist;
  readonly #view: PhotoView;
  readonly #camera = new Camera();
  readonly #live: LiveDrawing;
  readonly #results: ResultView;
  /** Counts the photos that were opened. If a newer photo comes while one is being opened, the older one is dropped. */
  #opened = 0;

  constructor(
    artist: Artist,
    settings: Settings,
    machine: Machine,
    store: FileStore,
    activity: Activity,
    finder: FaceFinder,
  ) {
    this.#artist = artist;
    this.#settings = settings;
    this.#machine = machine;
    this.#store = store;
    this.#activity = activity;
    this.#view = new PhotoView(settings, activity, finder);
    this.#results = new ResultView(
      (error) => activity.fail(error),
      (text) => activity.say(text),
    );
    this.#live = new LiveDrawing(this.#camera, artist, this.#results, activity, settings, new FaceFollower(finder, (cause) => activity.say(`Faces could not be looked for: ${asU2NetError(cause).message}`)));

    const listen = (id: string, act: () => void) => byId(id, HTMLButtonElement).addEventListener('click', act);
    listen('run', () => void this.draw());
    listen('cancel', () => artist.cancel());
    listen('camera-open', () => void this.#openCamera());
    listen('camera-close', () => this.#closeCamera());
    listen('capture', () => void this.#capture());
    settings.onChange = () => this.#view.frameForModel();
  }

  /** Opens a photo in place of the previous one, and draws it if that costs little. */
  async open(file: Blob, fileName: string): Promise<void> {
    const turn = ++this.#opened;
    if (this.#camera.isOpen) this.#closeCamera();
    else this.#artist.cancel();
    await this.#artist.busy;
    this.#activity.clearError();
    let photo: Photo;
    try {
      photo = await openPhoto(file, fileName);
    } catch (cause) {
      this.#activity.fail(asU2NetError(cause));
      return;
    }
    if (turn !== this.#opened) {
      closePhoto(photo);
      return;
    }
    this.#view.show(photo);
    this.#showPanels();
    await this.#view.frameFace();
    const { choice } = this.#settings;
    const missing = await this.#store.missingBytes(filesOf(choice.artifact));
    if (turn === this.#opened && startsByItself(choice, this.#machine, missing)) await this.draw();
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
      this.#results.mirror(false);
      this.#results.show(made.drawing, made.choice.model.task, photo.name, facts(made));
      announce(made, crop);
      void made.files.then((ready) => this.#results.offer(ready));
      this.#activity.say('Done.');
    });
  }

  async #openCamera(): Promise<void> {
    this.#activity.clearError();
    try {
      await this.#camera.open();
    } catch (cause) {
      this.#activity.fail(asU2NetError(cause));
      return;
    }
    this.#showPanels();
    this.#activity.say('The camera is on.');
    await this.#live.run();
  }

  #closeCamera(): void {
    this.#camera.close();
    this.#showPanels();
  }

  async #capture(): Promise<void> {
    try {
      await this.open(await this.#camera.capture(), 'camera.png');
    } catch (cause) {
      this.#activity.fail(asU2NetError(cause));
    }
  }

  #showPanels(): void {
    const camera = this.#camera.isOpen;
    const photo = !camera && this.#view.photo !== undefined;
    byId('drop-zone', HTMLElement).hidden = camera || photo;
    byId('photo-view', HTMLElement).hidden = !photo;
    byId('crop-controls', HTMLElement).hidden = !photo;
    byId('camera-controls', HTMLElement).hidden = !camera;
    byId('camera-open', HTMLElement).hidden = camera;
    byId('run', HTMLButtonElement).disabled = !photo;
  }

  #offerWasm(reason: string): void {
    const error = new U2NetError(
      'out-of-memory',
      `${reason}. It can be drawn on the processor instead, or at a smaller resolution.`,
    );
    this.#activity.fail(error, [
      {
        id: 'use-wasm',
        label: 'Draw with wasm',
        run: () => {
          this.#settings.useBackend('wasm');
          void this.draw();
        },
      },
      { id: 'draw-anyway', label: 'Try all the same', run: () => void this.draw(true) },
    ]);
  }
}

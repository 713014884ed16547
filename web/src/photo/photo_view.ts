import { asU2NetError } from '../../lib/errors';
import type { FaceFinder } from '../../lib/faces/finder';
import type { Rect } from '../../lib/geometry';
import { Activity } from '../activity/activity';
import { CropFrame } from '../crop/crop_frame';
import { portraitFrame } from '../crop/frame';
import { byId } from '../dom';
import { FaceFrames } from '../faces/face_frames';
import { Settings } from '../settings/settings';
import { explain, words } from '../words/words';
import { closePhoto, type Photo } from './open_photo';

/** The open photo, with a frame around the part that will be drawn. */
export class PhotoView {
  readonly #settings: Settings;
  readonly #activity: Activity;
  readonly #cropFrame = new CropFrame();
  readonly #faces: FaceFrames;
  #photo: Photo | undefined;

  constructor(settings: Settings, activity: Activity, finder: FaceFinder) {
    this.#settings = settings;
    this.#activity = activity;
    this.#faces = new FaceFrames(finder, (frame) => this.#cropFrame.set(frame));
  }

  get photo(): Photo | undefined {
    return this.#photo;
  }

  /** Has `act` called when the frame has changed. */
  set onFrame(act: () => void) {
    this.#cropFrame.onChange = act;
  }

  /** The part of the photo to draw, in whole pixels. */
  get crop(): Rect {
    return this.#cropFrame.rect;
  }

  /** Shows a photo in place of the previous one, and closes that. */
  show(photo: Photo): void {
    if (this.#photo !== undefined) closePhoto(this.#photo);
    this.#photo = photo;
    byId('photo', HTMLImageElement).src = photo.url;
    byId('photo-view', HTMLElement).style.setProperty('--aspect', String(photo.width / photo.height));
    this.#frame(photo);
    const { scaledFrom } = photo;
    this.#activity.say(
      scaledFrom === null
        ? words.talk.photoOpened
        : words.talk.photoScaled(`${scaledFrom.width} × ${scaledFrom.height}`, `${photo.width} × ${photo.height}`),
    );
  }

  /** Gives the photo the frame that suits the chosen model, unless the person has set one. */
  frameForModel(): void {
    if (this.#photo === undefined || this.#cropFrame.touched) return;
    this.#frame(this.#photo);
    void this.frameFace();
  }

  /** With a portrait model, puts the frame around the largest face, unless the person moves it meanwhile. */
  async frameFace(): Promise<void> {
    const photo = this.#photo;
    if (photo === undefined || !this.#drawsPortraits() || this.#cropFrame.touched) return;
    try {
      const frame = await this.#faces.find(photo);
      if (!this.#drawsPortraits()) this.#faces.clear();
      else if (frame !== null && !this.#cropFrame.touched) this.#cropFrame.open(photo, frame, false);
    } catch (cause) {
      if (photo === this.#photo) this.#activity.say(words.talk.facesFailed(explain(asU2NetError(cause))));
    }
  }

  #drawsPortraits(): boolean {
    return this.#settings.choice.model.task !== 'saliency';
  }

  #frame(photo: Photo): void {
    this.#faces.clear();
    this.#cropFrame.open(photo, portraitFrame(photo), !this.#drawsPortraits());
  }
}

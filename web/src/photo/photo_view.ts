import type { Rect } from '../../lib/geometry';
import { Activity } from '../activity/activity';
import { CropFrame } from '../crop/crop_frame';
import { portraitFrame } from '../crop/frame';
import { byId } from '../dom';
import { Settings } from '../settings/settings';
import { closePhoto, type Photo } from './open_photo';

/** The open photo, with a frame around the part that will be drawn. */
export class PhotoView {
  readonly #settings: Settings;
  readonly #activity: Activity;
  readonly #cropFrame = new CropFrame();
  #photo: Photo | undefined;

  constructor(settings: Settings, activity: Activity) {
    this.#settings = settings;
    this.#activity = activity;
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
        ? 'Photo opened.'
        : `A photo of ${scaledFrom.width} × ${scaledFrom.height} pixels is more than can be drawn: it is worked on at ${photo.width} × ${photo.height}.`,
    );
  }

  /** Gives the photo the frame that suits the chosen model, unless the person has set one. */
  frameForModel(): void {
    if (this.#photo !== undefined && !this.#cropFrame.touched) this.#frame(this.#photo);
  }

  #frame(photo: Photo): void {
    this.#cropFrame.open(photo, portraitFrame(photo), this.#settings.choice.model.task === 'saliency');
  }
}

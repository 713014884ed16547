import { asU2NetError } from '../lib/errors';
import type { FaceFinder } from '../lib/faces/finder';
import type { Activity } from './activity/activity';
import type { Artist } from './drawing/artist';
import type { Many } from './many/many';
import type { Settings } from './settings/settings';
import { Studio } from './studio';
import { isVideo } from './video/kind';
import type { VideoDrawing } from './video/video';
import { Failure, words } from './words/words';

/**
 * Where files arrive. One photo goes to the studio, several are drawn in turn, a video becomes a video. What few people use is loaded
 * when it is needed.
 */
export class Desk {
  readonly #activity: Activity;
  readonly #studio: Studio;
  readonly #parts: readonly [Artist, Settings, Activity, FaceFinder, Studio];
  #video: Promise<VideoDrawing> | undefined;
  #many: Promise<Many> | undefined;

  constructor(artist: Artist, settings: Settings, activity: Activity, finder: FaceFinder) {
    this.#activity = activity;
    this.#studio = new Studio(artist, settings, activity, finder);
    this.#parts = [artist, settings, activity, finder, this.#studio];
  }

  async open(file: Blob, name: string): Promise<void> {
    if (!isVideo(file, name)) {
      await this.#studio.open(file, name);
      return;
    }
    try {
      this.#video ??= arrived(import('./video/video')).then(
        ({ VideoDrawing }) => new VideoDrawing(...this.#parts),
      );
      await (await this.#video).open(file, name);
    } catch (cause) {
      this.#video = undefined;
      this.#activity.fail(asU2NetError(cause));
    }
  }

  async openMany(files: readonly File[]): Promise<void> {
    try {
      this.#many ??= arrived(import('./many/many')).then(({ Many }) => new Many(...this.#parts));
      await (await this.#many).open(files);
    } catch (cause) {
      // The next try loads it again.
      this.#many = undefined;
      this.#activity.fail(asU2NetError(cause));
    }
  }
}

/** @throws U2NetError `download-interrupted` if a part of the page could not be loaded. */
async function arrived<T>(part: Promise<T>): Promise<T> {
  try {
    return await part;
  } catch (cause) {
    throw new Failure('download-interrupted', () => words.failures.partMissing, { cause });
  }
}

import type { VideoSample } from 'mediabunny';
import { paceOf } from '../../lib/choice/speed';
import type { FaceFinder } from '../../lib/faces/finder';
import { asU2NetError } from '../../lib/errors';
import { type Rect, type Size, wholeOf } from '../../lib/geometry';
import type { Activity } from '../activity/activity';
import { loading } from '../activity/words';
import { byId } from '../dom';
import type { Artist } from '../drawing/artist';
import { productOf } from '../drawing/choices';
import { FaceFollower } from '../faces/face_follower';
import { note } from '../settings/select';
import type { Settings } from '../settings/settings';
import type { Studio } from '../studio';
import { showView } from '../view';
import { elementsOf, explain, onLanguage, words, write } from '../words/words';
import { openVideo, type Redrawn, type Video } from './redraw';
import markup from './video.html?raw';

// The two sheets and the button come with this module.
const go = document.querySelector('.go')!;
go.before(elementsOf(markup));
go.prepend(byId('video-run', HTMLButtonElement));
document.querySelector('.settings')!.before(byId('video-result', HTMLElement));

/** The longer side of a drawn video at most, in pixels. */
const MOST = 1280;

/** A video file, drawn picture by picture to a video. */
export class VideoDrawing {
  readonly #artist: Artist;
  readonly #settings: Settings;
  readonly #activity: Activity;
  readonly #studio: Studio;
  readonly #follower: FaceFollower;
  readonly #player = byId('video', HTMLVideoElement);
  readonly #drawn = byId('video-drawn', HTMLVideoElement);
  readonly #picture = byId('video-picture', HTMLCanvasElement);
  readonly #run = byId('video-run', HTMLButtonElement);
  readonly #bar = byId('video-progress', HTMLProgressElement);
  readonly #download = byId('video-download', HTMLAnchorElement);
  readonly #turn = byId('video-turn', HTMLElement);
  #video: Video | undefined;
  #name = '';
  #pictures = 0;

  constructor(artist: Artist, settings: Settings, activity: Activity, finder: FaceFinder, studio: Studio) {
    this.#artist = artist;
    this.#settings = settings;
    this.#activity = activity;
    this.#studio = studio;
    this.#follower = new FaceFollower(finder, (cause) => activity.say(words.talk.facesFailed(explain(asU2NetError(cause)))));
    this.#run.addEventListener('click', () => void this.#draw());
    byId('video-close', HTMLButtonElement).addEventListener('click', () => void this.#close());
    settings.onChange(() => this.#tell());
    onLanguage(() => this.#tell());
  }

  /** Shows a video in place of what was open. If it cannot be opened, that stays. */
  async open(file: Blob, name: string): Promise<void> {
    let video: Video;
    try {
      video = await openVideo(file, name);
    } catch (cause) {
      this.#activity.fail(asU2NetError(cause));
      return;
    }
    if (!(await this.#studio.makeWay())) {
      video.close();
      return;
    }
    this.#forget();
    this.#video = video;
    this.#name = name.replace(/\.[^.]*$/, '') || 'video';
    this.#activity.clearError();
    this.#activity.say('');
    this.#player.src = URL.createObjectURL(file);
    frame(this.#player, video);
    showView('video');
    this.#tell();
  }

  async #draw(): Promise<void> {
    const video = this.#video;
    if (video === undefined) return;
    const hadFocus = await this.#artist.inTurn(this.#run, async (stopped) => {
      this.#player.pause();
      this.#clear();
      this.#begin(video);
      try {
        const size = this.#sizeOf(video);
        const canvas = new OffscreenCanvas(size.width, size.height);
        const draw = this.#drawer(video, canvas);
        this.#offer(await video.redraw({ size, stopped, draw }));
      } catch (cause) {
        this.#clear();
        if (!stopped.aborted) throw cause;
        this.#activity.say(words.video.cancelled);
      } finally {
        this.#end();
      }
    });
    if (hadFocus) this.#run.focus({ preventScroll: true });
  }

  /** What draws one picture of the video after another. The first of a portrait begins around the largest face. */
  #drawer(video: Video, canvas: OffscreenCanvas): Parameters<Video['redraw']>[0]['draw'] {
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (context === null) throw new RangeError(`no canvas of ${canvas.width} × ${canvas.height} pixels`);
    const all = Math.round(video.seconds * video.rate);
    const portrait = this.#settings.choice.model.task !== 'saliency';
    const shown = this.#picture.getContext('2d');
    const begun = performance.now();
    return async (sample, ms) => {
      const size = { width: sample.displayWidth, height: sample.displayHeight };
      const left = this.#pictures < 2 ? null : ((performance.now() - begun) / this.#pictures) * (all - this.#pictures);
      this.#progress(++this.#pictures, all, left);
      if (portrait && this.#pictures === 1) await this.#follower.begin(await pictureOf(sample), size);
      for (;;) {
        const photo = await pictureOf(sample);
        const crop: Rect = portrait ? await this.#follower.follow(photo, size, ms) : wholeOf(size);
        const made = await this.#artist.draw(
          { photo, size, crop, products: [portrait ? 'picture' : 'cut-out'] },
          (stage, loaded, total) => {
            if (stage === 'download' || stage === 'engine') write(this.#turn, () => loading(stage, loaded, total));
          },
        );
        // What computed has failed, and the next one draws the same picture again.
        if (made === null) continue;
        const bitmap = made.drawing.cutOut ?? made.drawing.picture!;
        // Videos have no transparency, so white lies behind.
        context.fillStyle = 'white';
        context.fillRect(0, 0, canvas.width, canvas.height);
        context.imageSmoothingQuality = 'high';
        context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
        bitmap.close();
        shown?.drawImage(canvas, 0, 0);
        this.#picture.hidden = false;
        return canvas;
      }
    };
  }

  /** The size of the drawn video: a portrait is square. */
  #sizeOf({ width, height }: Size): Size {
    const shorter = Math.min(width, height);
    const portrait = this.#settings.choice.model.task !== 'saliency';
    const [across, down] = portrait ? [shorter, shorter] : [width, height];
    const scale = Math.min(1, MOST / Math.max(across, down));
    // Encoders want even sides.
    const even = (side: number) => Math.max(2, 2 * Math.round((side * scale) / 2));
    return { width: even(across), height: even(down) };
  }

  #begin(video: Video): void {
    const size = this.#sizeOf(video);
    Object.assign(this.#picture, size);
    frame(this.#picture, size);
    this.#pictures = 0;
    this.#run.hidden = true;
    this.#bar.value = 0;
    this.#bar.hidden = false;
    byId('video-hint', HTMLElement).hidden = true;
    byId('video-result', HTMLElement).scrollIntoView({ block: 'nearest' });
  }

  #progress(number: number, all: number, left: number | null): void {
    this.#bar.value = Math.min(1, (number - 1) / Math.max(1, all));
    write(this.#turn, () => words.video.turn(number, Math.max(number, all), left));
  }

  #end(): void {
    this.#run.hidden = false;
    this.#bar.hidden = true;
    write(this.#turn, () => '');
  }

  #offer({ file, silent }: Redrawn): void {
    const ending = file.type.startsWith('video/mp4') ? 'mp4' : 'webm';
    this.#drawn.src = this.#download.href = URL.createObjectURL(file);
    this.#download.download = `${this.#name}-${productOf(this.#settings.choice)}.${ending}`;
    this.#drawn.hidden = false;
    this.#picture.hidden = true;
    byId('video-actions', HTMLElement).hidden = false;
    const pictures = this.#pictures;
    write(byId('video-made', HTMLElement), () => words.video.made(pictures, file.size));
    const { done, silent: without } = words.video;
    this.#activity.done(silent ? words.talk.sentences([done, without]) : done);
  }

  /** Takes the drawn video away. */
  #clear(): void {
    URL.revokeObjectURL(this.#download.href);
    for (const name of ['href', 'download']) this.#download.removeAttribute(name);
    this.#drawn.removeAttribute('src');
    this.#drawn.hidden = this.#picture.hidden = true;
    byId('video-actions', HTMLElement).hidden = true;
    byId('video-hint', HTMLElement).hidden = false;
  }

  #forget(): void {
    this.#clear();
    this.#video?.close();
    this.#video = undefined;
    URL.revokeObjectURL(this.#player.src);
    this.#player.removeAttribute('src');
  }

  async #close(): Promise<void> {
    if (!(await this.#studio.makeWay())) return;
    this.#forget();
    this.#activity.say('');
    showView('one');
    byId('file', HTMLInputElement).focus({ preventScroll: true });
  }

  #tell(): void {
    if (this.#video === undefined) return;
    const { seconds, width, height, rate } = this.#video;
    const { choice, machine } = this.#settings;
    const { ms } = machine.speeds.estimate(choice.backend, paceOf(choice), choice.resolution.multiply_adds);
    const pictures = Math.round(seconds * rate);
    note('video-facts', words.video.facts(1000 * seconds, width, height, pictures, pictures * ms));
  }
}

/** A picture of a video that nobody has to close in time: a worker that is ended cannot. */
async function pictureOf(sample: VideoSample): Promise<ImageBitmap> {
  const frame = sample.toVideoFrame();
  try {
    return await createImageBitmap(frame);
  } finally {
    frame.close();
  }
}

/** Gives an element's frame the shape of a picture. */
function frame(element: HTMLElement, { width, height }: Size): void {
  element.parentElement!.style.setProperty('--aspect', String(width / height));
}

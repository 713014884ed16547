import { type Rect, type Size, wholeOf } from '../../lib/geometry';
import { shownSize } from '../../lib/photo/frame';
import type { Timing } from '../../lib/worker/protocol';
import { Activity } from '../activity/activity';
import { byId } from '../dom';
import { Artist } from '../drawing/artist';
import type { FaceFollower } from '../faces/face_follower';
import { ResultView } from '../result/result_view';
import type { Settings } from '../settings/settings';
import { words } from '../words/words';
import { Camera } from './camera';

/** The camera is drawn without being asked where a frame takes less than this. */
const SMOOTH_MS = 250;
/** Live drawing stops if a frame takes longer than this, because it would look like a slide show. */
const LIVE_FRAME_MS = 2000;
/** Frames at one resolution before another is considered: the first is slower than the others. */
const SETTLED = 4;
/** A larger resolution is taken where it should leave room to spare. */
const SPARE = 0.8;

/**
 * Draws what the camera sees, frame after frame, while it is open, "Live" is ticked and the machine is fast enough: at the
 * highest resolution at which a frame takes less than a quarter of a second.
 */
export class LiveDrawing {
  readonly #camera: Camera;
  readonly #artist: Artist;
  readonly #settings: Settings;
  readonly #results: ResultView;
  readonly #activity: Activity;
  readonly #follower: FaceFollower;
  readonly #tick = byId('live', HTMLInputElement);
  /** When the last frames were shown, in milliseconds. */
  #times: number[] = [];
  #frames = 0;

  constructor(
    camera: Camera,
    artist: Artist,
    settings: Settings,
    results: ResultView,
    activity: Activity,
    follower: FaceFollower,
  ) {
    this.#camera = camera;
    this.#artist = artist;
    this.#settings = settings;
    this.#results = results;
    this.#activity = activity;
    this.#follower = follower;
    this.#tick.addEventListener('change', () => void this.run());
  }

  /** Begins when the camera opens, if this machine should be fast enough. */
  async start(): Promise<void> {
    this.#tick.checked = this.#settings.within(SMOOTH_MS) !== null;
    await this.run();
  }

  /** Draws until live drawing ends. Returns at once if there is nothing to draw or a drawing is already running. */
  async run(): Promise<void> {
    if (this.#artist.busy !== undefined || !this.#isOn()) return;
    const { side } = this.#settings.choice.resolution;
    const smooth = this.#settings.within(SMOOTH_MS);
    if (smooth !== null) this.#settings.useResolution(smooth.side);
    if (this.#artist.misfit() !== null) {
      this.#stop(words.talk.liveDoesNotFit);
      return;
    }
    this.#follower.reset();
    this.#times = [];
    this.#frames = 0;
    await this.#artist.during(async () => {
      try {
        while (this.#isOn()) await this.#drawFrame();
      } catch (cause) {
        this.#tick.checked = false;
        throw cause;
      }
    });
    this.#settings.useResolution(side);
  }

  async #drawFrame(): Promise<void> {
    const frame = await this.#camera.frame();
    const size = shownSize(frame);
    const crop = await this.#crop(frame, size);
    const made = await this.#artist.draw({ photo: frame, size, crop, products: ['picture'] });
    if (made === null || !this.#isOn()) return;
    this.#results.mirror(this.#camera.mirrored);
    this.#results.show(made.drawing, made.choice.model.task, 'camera', this.#rate(made.choice.resolution.side, made.drawing.timing));
    this.#adapt(made.drawing.timing);
  }

  /** "12 frames a second at 192 × 192": of the last frames, or what the first one's own time makes. */
  #rate(side: number, { decode_ms, preprocess_ms, run_ms, postprocess_ms }: Timing): () => string {
    const now = performance.now();
    const first = decode_ms + preprocess_ms + run_ms + postprocess_ms;
    this.#times = [...this.#times.slice(-10), now];
    const [frames, span] = this.#times.length > 1 ? [this.#times.length - 1, now - this.#times[0]!] : [1, first];
    const rate = (1000 * frames) / Math.max(1, span);
    return () => words.talk.rate(rate, `${side} × ${side}`);
  }

  /** Takes another resolution if that is nearer to a smooth picture, or stops if the machine is too slow. */
  #adapt({ run_ms }: Timing): void {
    if (run_ms > LIVE_FRAME_MS) {
      this.#stop(words.talk.liveTooSlow(LIVE_FRAME_MS, run_ms));
      return;
    }
    if (++this.#frames < SETTLED) return;
    const { side } = this.#settings.choice.resolution;
    const better = this.#settings.within(run_ms > SMOOTH_MS ? SMOOTH_MS : SPARE * SMOOTH_MS);
    if (better === null || (run_ms <= SMOOTH_MS && better.side <= side)) return;
    this.#frames = 0;
    this.#settings.useResolution(better.side);
  }

  /** With a portrait model, the face; else all that the camera sees. */
  async #crop(frame: ImageBitmap | VideoFrame, size: Size): Promise<Rect> {
    if (this.#settings.choice.model.task === 'saliency') return wholeOf(size);
    return this.#follower.follow(frame, size, performance.now());
  }

  #isOn(): boolean {
    return this.#camera.isOpen && this.#tick.checked;
  }

  #stop(reason: string): void {
    this.#tick.checked = false;
    this.#activity.say(reason);
  }
}

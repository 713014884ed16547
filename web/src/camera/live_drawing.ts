import { formatSeconds } from '../../lib/format';
import { type Rect, type Size, wholeOf } from '../../lib/geometry';
import { shownSize } from '../../lib/photo/frame';
import { Activity } from '../activity/activity';
import { byId } from '../dom';
import { Artist, facts } from '../drawing/artist';
import type { FaceFollower } from '../faces/face_follower';
import { ResultView } from '../result/result_view';
import type { Settings } from '../settings/settings';
import { Camera } from './camera';

/** Live drawing stops if a frame takes longer than this, because it would look like a slide show. */
const LIVE_FRAME_MS = 2000;

/** Draws what the camera sees, frame after frame, while it is open, "Live" is ticked and the machine is fast enough. */
export class LiveDrawing {
  readonly #camera: Camera;
  readonly #artist: Artist;
  readonly #results: ResultView;
  readonly #activity: Activity;
  readonly #settings: Settings;
  readonly #follower: FaceFollower;
  readonly #tick = byId('live', HTMLInputElement);

  constructor(
    camera: Camera,
    artist: Artist,
    results: ResultView,
    activity: Activity,
    settings: Settings,
    follower: FaceFollower,
  ) {
    this.#camera = camera;
    this.#artist = artist;
    this.#results = results;
    this.#activity = activity;
    this.#settings = settings;
    this.#follower = follower;
    this.#tick.addEventListener('change', () => void this.run());
  }

  /** Draws until live drawing ends. Returns at once if there is nothing to draw or a drawing is already running. */
  async run(): Promise<void> {
    if (this.#artist.busy !== undefined || !this.#isOn()) return;
    if (this.#artist.misfit() !== null) {
      this.#stop(
        'Live drawing does not fit into graphics memory here. Choose a smaller resolution, or take the photo.',
      );
      return;
    }
    this.#follower.reset();
    await this.#artist.during(async () => {
      try {
        while (this.#isOn()) await this.#drawFrame();
      } catch (cause) {
        this.#tick.checked = false;
        throw cause;
      }
    });
  }

  async #drawFrame(): Promise<void> {
    const frame = await this.#camera.frame();
    const size = shownSize(frame);
    const crop = await this.#crop(frame, size);
    const made = await this.#artist.draw({ photo: frame, size, crop, products: ['picture'] });
    if (!this.#isOn()) return;
    this.#results.mirror(this.#camera.mirrored);
    this.#results.show(made.drawing, made.choice.model.task, 'camera', facts(made));
    const { run_ms } = made.drawing.timing;
    if (run_ms > LIVE_FRAME_MS) {
      this.#stop(
        `Live drawing would need a frame in ${formatSeconds(LIVE_FRAME_MS)}, and one takes ${formatSeconds(run_ms)} here. Choose a smaller resolution, or take the photo.`,
      );
    }
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

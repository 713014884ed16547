import { filesOf, type Task } from './catalogue';
import { portraitFrame, type Rect, wholeOf } from './crop';
import { type Choice, type Machine, startsByItself } from './defaults';
import { PageError, toPageError } from './errors';
import type { FileStore } from './files';
import { formatSeconds } from './format';
import { misfit } from './memory';
import { closePhoto, openPhoto, type Photo } from './photo';
import type { BackendName, Drawing, DrawJob } from './protocol';
import type { Activity } from './ui/activity';
import { Camera } from './ui/camera';
import { CropFrame } from './ui/crop_frame';
import { byId } from './ui/dom';
import { ResultView } from './ui/result_view';
import type { Settings } from './ui/settings';
import type { Drawn, WorkerClient } from './worker_client';

/** Live drawing stops where a frame takes longer: it would be a slide show. */
const LIVE_FRAME_MS = 2000;

/** The detail of the `drawing` event that window gets after each drawing that is not a live one. */
export interface DrawingDetail {
  /** The network's output, float32 [resolution, resolution] in [0, 1]. */
  readonly d0: Float32Array;
  readonly model: string;
  readonly task: Task;
  readonly resolution: number;
  readonly dtype: string;
  readonly backend: BackendName;
  readonly crop: Rect;
}

/** What of a job depends on the photo; the rest depends on what is chosen. */
type Part = Pick<DrawJob, 'photo' | 'size' | 'crop' | 'preview'>;

/** From photo to drawing: takes photos in, has them drawn, recovers when a GPU does not hold. */
export class Studio {
  readonly #client: WorkerClient;
  readonly #settings: Settings;
  readonly #machine: Machine;
  readonly #store: FileStore;
  readonly #base: URL;
  readonly #activity: Activity;
  readonly #cropFrame = new CropFrame();
  readonly #camera = new Camera();
  readonly #results: ResultView;
  readonly #run = byId('run', HTMLButtonElement);
  readonly #live = byId('live', HTMLInputElement);
  #photo: Photo | undefined;
  /** Counts the photos that were handed in: one that is overtaken while it is opened is dropped. */
  #opened = 0;
  /** Settles when the drawing under way, or the live ones, are over. */
  #busy: PromiseWithResolvers<void> | undefined;

  constructor(
    client: WorkerClient,
    settings: Settings,
    machine: Machine,
    store: FileStore,
    base: URL,
    activity: Activity,
  ) {
    this.#client = client;
    this.#settings = settings;
    this.#machine = machine;
    this.#store = store;
    this.#base = base;
    this.#activity = activity;
    this.#results = new ResultView(
      (error) => activity.fail(error),
      (text) => activity.say(text),
    );

    const listen = (id: string, act: () => void) => byId(id, HTMLButtonElement).addEventListener('click', act);
    listen('run', () => void this.draw());
    listen('cancel', () => this.#client.cancel());
    listen('camera-open', () => void this.#openCamera());
    listen('camera-close', () => this.#closeCamera());
    listen('capture', () => void this.#capture());
    this.#live.addEventListener('change', () => void this.#drawLive());
    settings.onChange = () => this.#frameForTask();
    client.onIdleLoss = (reason) => this.#moveToWasm(reason);
  }

  /** Takes a photo in, in place of the one before, and draws it if that costs little. */
  async open(file: Blob, fileName: string): Promise<void> {
    const turn = ++this.#opened;
    if (this.#camera.isOpen) this.#closeCamera();
    else this.#client.cancel();
    await this.#busy?.promise;
    this.#activity.clearError();
    let photo: Photo;
    try {
      photo = await openPhoto(file, fileName);
    } catch (cause) {
      this.#activity.fail(toPageError(cause));
      return;
    }
    if (turn !== this.#opened) {
      closePhoto(photo);
      return;
    }
    if (this.#photo !== undefined) closePhoto(this.#photo);
    this.#photo = photo;
    const image = byId('photo', HTMLImageElement);
    image.src = photo.url;
    const view = byId('photo-view', HTMLElement);
    view.style.setProperty('--aspect', String(photo.width / photo.height));
    this.#frameForTask(true);
    this.#showPanels();
    const { scaledFrom } = photo;
    if (scaledFrom === null) this.#activity.say('Photo opened.');
    else {
      this.#activity.say(
        `A photo of ${scaledFrom.width} × ${scaledFrom.height} pixels is more than can be drawn: it is worked on at ${photo.width} × ${photo.height}.`,
      );
    }
    const { choice } = this.#settings;
    const missing = await this.#store.missingBytes(filesOf(choice.artifact));
    if (turn === this.#opened && startsByItself(choice, this.#machine, missing)) await this.draw();
  }

  /**
   * Draws the crop of the photo.
   *
   * @param force draws even what is expected not to fit into memory.
   */
  async draw(force = false): Promise<void> {
    const photo = this.#photo;
    if (photo === undefined || this.#busy !== undefined) return;
    const reason = this.#misfit();
    if (reason !== null && !force) {
      this.#offerWasm(reason);
      return;
    }
    const crop = this.#cropFrame.rect;
    this.#begin();
    try {
      const part = { photo: photo.file, size: photo, crop, preview: false };
      const { drawing, files, choice } = await this.#drawOrRecover(part);
      const { model, resolution, artifact } = choice;
      this.#results.mirror(false);
      this.#results.show(drawing, model.task, photo.name, facts(drawing, choice));
      publish(drawing, {
        d0: drawing.d0,
        model: model.name,
        task: model.task,
        resolution: resolution.resolution,
        dtype: artifact.dtype,
        backend: drawing.backend,
        crop,
      });
      void files.then((ready) => this.#results.offer(ready));
      this.#activity.say('Done.');
    } catch (cause) {
      this.#report(toPageError(cause));
    } finally {
      this.#end();
    }
  }

  /** One drawing with what is chosen; if the GPU fails, once more on wasm, with the same photo. */
  async #drawOrRecover(part: Part): Promise<Drawn & { choice: Choice }> {
    try {
      return await this.#drawOnce(part);
    } catch (cause) {
      const error = toPageError(cause);
      const gpuFailed = error.code === 'context-lost' || error.code === 'backend-unavailable';
      if (!gpuFailed || this.#settings.choice.backend.name === 'wasm' || part.preview) throw error;
      this.#moveToWasm(error.message);
      return this.#drawOnce(part);
    }
  }

  async #drawOnce(part: Part): Promise<Drawn & { choice: Choice }> {
    // What is chosen now: while the drawing is under way the person may choose something else.
    const { choice } = this.#settings;
    const { model, resolution, artifact, backend } = choice;
    const { speeds } = this.#machine;
    const expected = speeds.estimate(backend, model.name, resolution.multiply_adds).ms;
    const drawn = await this.#client.draw(
      {
        ...part,
        task: model.task,
        resolution: resolution.resolution,
        artifact,
        base: this.#base.href,
        backend: backend.name,
        threads: backend.threads,
      },
      (stage, loaded, total) => {
        if (part.preview && (stage === 'run' || stage === 'finish')) this.#activity.live();
        else this.#activity.progress(stage, loaded, total, expected);
      },
    );
    speeds.record(backend, model.name, resolution.multiply_adds, drawn.drawing.timing.run_ms);
    return { ...drawn, choice };
  }

  /** Frame after frame for as long as the camera is open, live drawing is on, and it keeps up. */
  async #drawLive(): Promise<void> {
    if (this.#busy !== undefined || !this.#isLive()) return;
    if (this.#misfit() !== null) {
      this.#stopLive(
        'Live drawing does not fit into graphics memory here. Choose a smaller resolution, or take the photo.',
      );
      return;
    }
    this.#begin();
    try {
      while (this.#isLive()) {
        const frame = await this.#camera.frame();
        const size = { width: frame.width, height: frame.height };
        const part = { photo: frame, size, crop: wholeOf(size), preview: true };
        const { drawing, choice } = await this.#drawOrRecover(part);
        if (!this.#isLive()) break;
        this.#results.mirror(this.#camera.mirrored);
        this.#results.show(drawing, choice.model.task, 'camera', facts(drawing, choice));
        if (drawing.timing.run_ms > LIVE_FRAME_MS) {
          this.#stopLive(
            `Live drawing would need a frame in ${formatSeconds(LIVE_FRAME_MS)}, and one takes ${formatSeconds(drawing.timing.run_ms)} here. Choose a smaller resolution, or take the photo.`,
          );
        }
      }
    } catch (cause) {
      this.#live.checked = false;
      const error = toPageError(cause);
      if (error.code === 'context-lost') this.#moveToWasm(error.message);
      this.#report(error);
    } finally {
      this.#end();
    }
  }

  #isLive(): boolean {
    return this.#camera.isOpen && this.#live.checked;
  }

  #stopLive(reason: string): void {
    this.#live.checked = false;
    this.#activity.say(reason);
  }

  async #openCamera(): Promise<void> {
    this.#activity.clearError();
    try {
      await this.#camera.open();
    } catch (cause) {
      this.#activity.fail(toPageError(cause));
      return;
    }
    this.#showPanels();
    this.#activity.say('The camera is on.');
    await this.#drawLive();
  }

  #closeCamera(): void {
    this.#camera.close();
    this.#showPanels();
  }

  async #capture(): Promise<void> {
    try {
      await this.open(await this.#camera.capture(), 'camera.png');
    } catch (cause) {
      this.#activity.fail(toPageError(cause));
    }
  }

  /** Gives the photo the frame that suits the model, unless the person has set one. */
  #frameForTask(newPhoto = false): void {
    if (this.#photo === undefined || (this.#cropFrame.touched && !newPhoto)) return;
    const whole = this.#settings.choice.model.task === 'saliency';
    this.#cropFrame.open(this.#photo, portraitFrame(this.#photo), whole);
  }

  #showPanels(): void {
    const camera = this.#camera.isOpen;
    const photo = !camera && this.#photo !== undefined;
    byId('drop-zone', HTMLElement).hidden = camera || photo;
    byId('photo-view', HTMLElement).hidden = !photo;
    byId('crop-controls', HTMLElement).hidden = !photo;
    byId('camera-controls', HTMLElement).hidden = !camera;
    byId('camera-open', HTMLElement).hidden = camera;
    this.#run.disabled = !photo;
  }

  #misfit(): string | null {
    const { model, resolution, backend } = this.#settings.choice;
    return misfit(model, resolution.resolution, backend, this.#machine.deviceMemory);
  }

  #offerWasm(reason: string): void {
    const error = new PageError(
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

  #moveToWasm(reason: string): void {
    const { name } = this.#settings.choice.backend;
    this.#settings.useBackend('wasm');
    this.#settings.explainBackend(`${name} failed (${reason}), so the page went on with wasm. Nothing was lost.`);
  }

  #begin(): void {
    this.#busy = Promise.withResolvers();
    document.documentElement.dataset['state'] = 'drawing';
    this.#activity.begin();
  }

  #end(): void {
    document.documentElement.dataset['state'] = 'ready';
    this.#activity.end();
    this.#settings.refresh();
    this.#busy?.resolve();
    this.#busy = undefined;
  }

  #report(error: PageError): void {
    if (error.code === 'cancelled') this.#activity.say('Cancelled. The photo is still here.');
    else {
      this.#activity.say('');
      this.#activity.fail(error);
    }
  }
}

function facts(drawing: Drawing, { model, resolution, artifact }: Choice): string {
  const threads = drawing.threads > 1 ? `, ${drawing.threads} threads` : '';
  return `${model.name} ${resolution.resolution} × ${resolution.resolution} ${artifact.dtype}, ${formatSeconds(drawing.timing.run_ms)} on ${drawing.backend}${threads}`;
}

/** Tells the rest of the world, tests above all. */
function publish(drawing: Drawing, detail: DrawingDetail): void {
  const { timing, backend, threads, tensors, bytes_fetched } = drawing;
  document.documentElement.dataset['timing'] = JSON.stringify({ ...timing, backend, threads, tensors, bytes_fetched });
  window.dispatchEvent(new CustomEvent<DrawingDetail>('drawing', { detail }));
}

import { change, type Choice, type Machine, without } from './choice/choose';
import { paceOf } from './choice/speed';
import type { BackendName } from './engines/backends';
import { asU2NetError, isGpuFailure, U2NetError } from './errors';
import { FaceFinder, type FramedFace } from './faces/finder';
import { type Rect, wholeOf } from './geometry';
import { type PhotoSource, takePhoto } from './photo/take';
import type { Catalogue, Dtype, Task } from './site/catalogue';
import type { OnProgress, WorkerClient } from './worker/client';
import { planOf } from './worker/plan';
import type { Drawing, Product, Stage, Timing } from './worker/protocol';
import { startWorker } from './worker/start';

/** What is going on. While downloading, `loaded` of `total` bytes have arrived; in other stages both are 0. */
export interface Progress {
  readonly stage: Stage;
  readonly loaded: number;
  readonly total: number;
}

export interface RunOptions {
  /** The part of the photo to draw, in whole pixels from the photo's top left. If left out, the whole photo. */
  readonly crop?: Rect;
  /** Takes the square around the largest face, if the photo shows one and `crop` is left out. */
  readonly face?: boolean;
  /** Stops the drawing. The promise is then rejected with the signal's reason. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export interface DrawOptions extends RunOptions {
  /** A canvas to show the picture, instead of a new one. Its only context may be `bitmaprenderer`. */
  readonly canvas?: HTMLCanvasElement;
}

/** What the network computed, and how. */
export interface Prediction {
  /** The network's output d0, float32 in [0, 1], `resolution` × `resolution` in rows from the top left. */
  readonly d0: Float32Array<ArrayBuffer>;
  readonly resolution: number;
  readonly backend: BackendName;
  readonly threads: number;
  readonly timing: Timing;
  /** Bytes of the model that came over the network for this prediction. */
  readonly bytesFetched: number;
}

/** A site's list of models, and its address. */
export interface Site {
  readonly base: URL;
  readonly catalogue: Catalogue;
}

/** A model in a worker of its own. If several drawings are asked for at once, they are made one after another. */
export class Model {
  readonly name: string;
  readonly task: Task;
  readonly #client: WorkerClient;
  #machine: Machine;
  readonly #base: URL;
  readonly #catalogue: Catalogue;
  /** Whether the caller named the backend. Then no other one replaces it. */
  readonly #backendTold: boolean;
  readonly #finder: FaceFinder;
  #choice: Choice;
  #turn: Promise<unknown> = Promise.resolve();
  #disposed = false;

  /** Made by {@link loadModel}. */
  constructor(client: WorkerClient, { base, catalogue }: Site, machine: Machine, choice: Choice, backendTold: boolean) {
    this.name = choice.model.name;
    this.task = choice.model.task;
    this.#client = client;
    this.#machine = machine;
    this.#base = base;
    this.#catalogue = catalogue;
    this.#choice = choice;
    this.#backendTold = backendTold;
    this.#finder = new FaceFinder(() => startWorker(new URL(catalogue.faces, base)));
    client.onIdleLoss = (error) => void this.#moveOn(error);
  }

  /** Side of the network's square input, in pixels. */
  get resolution(): number {
    return this.#choice.resolution.side;
  }

  /** The format of the weights. */
  get dtype(): Dtype {
    return this.#choice.artifact.dtype;
  }

  /** What computes. If a GPU fails, this changes to wasm, unless the caller named the backend. */
  get backend(): BackendName {
    return this.#choice.backend.name;
  }

  /**
   * Draws a photo. A portrait model draws dark lines on white paper; a saliency model draws its mask in grey.
   *
   * @returns a canvas of the photo's size, or of the crop's. A portrait has at least the size that the network draws at.
   * @throws U2NetError, or the signal's reason.
   */
  async draw(photo: PhotoSource, options: DrawOptions = {}): Promise<HTMLCanvasElement> {
    const { picture } = await this.#run(photo, ['picture'], options);
    return show(picture, options.canvas);
  }

  /**
   * Cuts a photo out: the photo with the mask as its transparency.
   *
   * @returns a canvas of the photo's size, or of the crop's.
   * @throws U2NetError, `not-offered` for a portrait model; or the signal's reason.
   */
  async mask(photo: PhotoSource, options: DrawOptions = {}): Promise<HTMLCanvasElement> {
    if (this.task !== 'saliency') {
      throw new U2NetError('not-offered', `${this.name} draws portraits and has no mask. Load a saliency model.`);
    }
    const { cutOut } = await this.#run(photo, ['cut-out'], options);
    return show(cutOut, options.canvas);
  }

  /** Computes the network's output for a photo. @throws U2NetError, or the signal's reason. */
  async predict(photo: PhotoSource, options: RunOptions = {}): Promise<Prediction> {
    const { d0, backend, threads, timing, bytes_fetched } = await this.#run(photo, [], options);
    return { d0, resolution: this.resolution, backend, threads, timing, bytesFetched: bytes_fetched };
  }

  /**
   * Finds the faces in a photo, the largest one first. The detector has 229 kB; it is loaded for the first photo.
   *
   * @throws U2NetError.
   */
  async faces(photo: PhotoSource): Promise<FramedFace[]> {
    this.#check(undefined);
    const { photo: taken, size } = await takePhoto(photo, null);
    return this.#finder.find(taken, size);
  }

  /** Ends the worker and frees its memory. Drawings that are running fail with `disposed`. */
  dispose(): void {
    this.#disposed = true;
    this.#client.close();
    this.#finder.close();
  }

  /** Downloads the weights and sets up the engine. {@link loadModel} does this. */
  prepare(options: Pick<RunOptions, 'signal' | 'onProgress'>): Promise<unknown> {
    return this.#inTurn(options, (onProgress) => this.#client.load(planOf(this.#choice, this.#base), onProgress));
  }

  #run(source: PhotoSource, products: readonly Product[], options: RunOptions): Promise<Drawing> {
    return this.#inTurn(options, async (onProgress) => {
      // Take the photo only now, so that a video gives its newest frame. After a failure it is taken again, because the
      // worker has closed the first one.
      const { photo, size } = await takePhoto(source, options.signal ?? null);
      options.signal?.throwIfAborted();
      const { resolution, backend } = this.#choice;
      const crop = options.crop ?? (options.face === true ? await this.#finder.frame(photo, size) : wholeOf(size));
      options.signal?.throwIfAborted();
      const job = { ...planOf(this.#choice, this.#base), photo, size, crop, products };
      const { drawing } = await this.#client.draw(job, onProgress);
      this.#machine.speeds.record(backend, paceOf(this.#choice), resolution.multiply_adds, drawing.timing.run_ms);
      return drawing;
    });
  }

  /** Waits until all earlier work is done, then does `work`. If the GPU fails, does it again on another backend. */
  #inTurn<T>(
    { signal, onProgress }: Pick<RunOptions, 'signal' | 'onProgress'>,
    work: (onProgress: OnProgress) => Promise<T>,
  ): Promise<T> {
    const report: OnProgress = (stage, loaded, total) => onProgress?.({ stage, loaded, total });
    const attempt = async (): Promise<T> => {
      this.#check(signal);
      const cancel = () => this.#client.cancel();
      signal?.addEventListener('abort', cancel);
      try {
        return await work(report);
      } catch (cause) {
        this.#check(signal);
        const error = asU2NetError(cause);
        if (!isGpuFailure(error) || !this.#moveOn(error)) throw error;
        // The next one may fail, too.
        return await attempt();
      } finally {
        signal?.removeEventListener('abort', cancel);
      }
    };
    const result = this.#turn.then(attempt);
    this.#turn = result.catch(() => {});
    return signal === undefined ? result : untilAborted(result, signal);
  }

  #check(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (this.#disposed) throw new U2NetError('disposed', `${this.name} was disposed of. Load it again.`);
  }

  /**
   * Changes to another backend, unless the caller named one: after wrong results, and from wasm, to the best of the
   * others, else to wasm.
   *
   * @returns whether that changed anything.
   */
  #moveOn({ code, said }: U2NetError): boolean {
    const { name } = this.#choice.backend;
    if (this.#backendTold) return false;
    const excluded = code === 'wrong-results' || name === 'wasm';
    if (excluded) this.#machine = without(this.#machine, name, said);
    this.#choice = change(this.#catalogue, this.#machine, this.#choice, { backend: excluded ? null : 'wasm' });
    return this.#choice.backend.name !== name;
  }
}

/** Moves a picture into a canvas, without a copy. */
function show(picture: ImageBitmap | null, canvas = document.createElement('canvas')): HTMLCanvasElement {
  if (picture === null) throw new Error('The worker made no picture');
  canvas.width = picture.width;
  canvas.height = picture.height;
  const context = canvas.getContext('bitmaprenderer');
  if (context === null) throw new U2NetError('internal', 'This canvas already has another context. Pass a new canvas.');
  context.transferFromImageBitmap(picture);
  return canvas;
}

/** Settles like `result`, or rejects with the signal's reason as soon as it is aborted. */
function untilAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

import { change, type Choice, type Machine } from './choice/choose';
import type { BackendName } from './engines/backends';
import { asU2NetError, isGpuFailure, U2NetError } from './errors';
import { type Rect, wholeOf } from './geometry';
import { type PhotoSource, takePhoto } from './photo/take';
import type { Catalogue, Dtype, Task } from './site/catalogue';
import type { OnProgress, WorkerClient } from './worker/client';
import type { Drawing, Plan, Product, Stage, Timing } from './worker/protocol';

/** How far something is: `loaded` of `total` bytes while downloading, 0 of 0 in the other stages. */
export interface Progress {
  readonly stage: Stage;
  readonly loaded: number;
  readonly total: number;
}

export interface RunOptions {
  /** The part of the photo to take, in whole pixels of the photo from its top left; the whole one if left out. */
  readonly crop?: Rect;
  /** Ends the drawing; what was asked for is rejected with the signal's reason. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export interface DrawOptions extends RunOptions {
  /** Shows the picture, instead of a new canvas. It must have no context but `bitmaprenderer`. */
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
  /** Bytes of the model that came over the network for it. */
  readonly bytesFetched: number;
}

/** A site's list of models, and its address. */
export interface Site {
  readonly base: URL;
  readonly catalogue: Catalogue;
}

/** A model, loaded in a worker of its own. Drawings that are asked for at once are made one after another. */
export class Model {
  readonly name: string;
  readonly task: Task;
  readonly #client: WorkerClient;
  readonly #machine: Machine;
  readonly #base: URL;
  readonly #catalogue: Catalogue;
  /** Whether the caller named the backend: then no other one takes its place. */
  readonly #backendTold: boolean;
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
    client.onIdleLoss = () => void this.#moveToWasm();
  }

  /** Side of the network's square input, in pixels. */
  get resolution(): number {
    return this.#choice.resolution.side;
  }

  /** The format of the weights. */
  get dtype(): Dtype {
    return this.#choice.artifact.dtype;
  }

  /** What computes. It changes to wasm when a GPU fails, unless the backend was asked for. */
  get backend(): BackendName {
    return this.#choice.backend.name;
  }

  /**
   * Draws a photo: dark lines on white paper with a portrait model, the grey mask with a saliency model.
   *
   * @returns a canvas of the photo's size, or of the crop's.
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

  /** Ends the worker and frees its memory; drawings that are under way fail with `disposed`. */
  dispose(): void {
    this.#disposed = true;
    this.#client.close();
  }

  /** Downloads the weights and sets the engine up. {@link loadModel} has done so. */
  prepare(options: Pick<RunOptions, 'signal' | 'onProgress'>): Promise<unknown> {
    return this.#inTurn(options, (onProgress) => this.#client.load(this.#plan(), onProgress));
  }

  #run(source: PhotoSource, products: readonly Product[], options: RunOptions): Promise<Drawing> {
    return this.#inTurn(options, async (onProgress) => {
      // Taken when its turn comes: of a video, what it shows then. Taken again after a failure, as the first is used up.
      const { photo, size } = await takePhoto(source, options.signal ?? null);
      options.signal?.throwIfAborted();
      const { model, resolution, backend } = this.#choice;
      const job = { ...this.#plan(), photo, size, crop: options.crop ?? wholeOf(size), products };
      const { drawing } = await this.#client.draw(job, onProgress);
      this.#machine.speeds.record(backend, model.name, resolution.multiply_adds, drawing.timing.run_ms);
      return drawing;
    });
  }

  /** Does something when all that was asked for before is done, and once more on wasm if the GPU fails. */
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
        if (!isGpuFailure(error) || !this.#moveToWasm()) throw error;
        return await work(report);
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

  /** Goes on with wasm, unless another backend was asked for. @returns whether that is a change. */
  #moveToWasm(): boolean {
    const { name } = this.#choice.backend;
    if (this.#backendTold) return false;
    this.#choice = change(this.#catalogue, this.#machine, this.#choice, { backend: 'wasm' });
    return this.#choice.backend.name !== name;
  }

  #plan(): Plan {
    const { model, resolution, artifact, backend } = this.#choice;
    return {
      task: model.task,
      resolution: resolution.side,
      artifact,
      base: this.#base.href,
      backend: backend.name,
      threads: backend.threads,
    };
  }
}

/** Moves a picture into a canvas, without a copy. */
function show(picture: ImageBitmap | null, canvas = document.createElement('canvas')): HTMLCanvasElement {
  if (picture === null) throw new Error('The worker made no picture');
  canvas.width = picture.width;
  canvas.height = picture.height;
  const context = canvas.getContext('bitmaprenderer');
  if (context === null) throw new U2NetError('internal', 'This canvas has another context already. Hand in a new one.');
  context.transferFromImageBitmap(picture);
  return canvas;
}

/** What `result` becomes, or the signal's reason as soon as it is aborted. */
function untilAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

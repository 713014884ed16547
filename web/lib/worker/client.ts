import type { BackendReport } from '../engines/backends';
import { U2NetError } from '../errors';
import type { Drawing, DrawJob, PngFiles, Reply, Request, Stage } from './protocol';

/** @param loaded and total are bytes, while downloading. */
export type OnProgress = (stage: Stage, loaded: number, total: number) => void;

export interface Drawn {
  readonly drawing: Drawing;
  /** Settles when the PNG files are encoded, some time after the drawing. For a preview, it never settles. */
  readonly files: Promise<PngFiles>;
}

interface Pending {
  readonly onProgress: OnProgress;
  readonly drawn: PromiseWithResolvers<Drawn>;
}

/**
 * The page's side of the worker. One worker serves only one backend. It is replaced when another backend is asked for,
 * when a drawing is cancelled (nothing else stops wasm), and when the GPU is lost.
 */
export class WorkerClient {
  #worker: Worker | undefined;
  #backend: string | undefined;
  #probed: PromiseWithResolvers<BackendReport[]> | undefined;
  #pending: Pending | undefined;
  #files: PromiseWithResolvers<PngFiles> | undefined;
  /** The number of the latest drawing asked for. Files of an older one come too late. */
  #id = 0;

  /** Called when the GPU is lost while no drawing is running. */
  onIdleLoss: (reason: string) => void = () => {};

  probe(): Promise<BackendReport[]> {
    this.#probed ??= Promise.withResolvers();
    this.#post({ type: 'probe' });
    return this.#probed.promise;
  }

  /** One drawing at a time. @throws U2NetError; `cancelled` after {@link cancel}, `context-lost` if the GPU was lost. */
  draw(job: DrawJob, onProgress: OnProgress): Promise<Drawn> {
    if (this.#pending !== undefined) throw new Error('A drawing is under way');
    const backend = `${job.backend} ${job.threads}`;
    if (this.#backend !== undefined && this.#backend !== backend) this.#discard();
    this.#backend = backend;
    this.#pending = { onProgress, drawn: Promise.withResolvers() };
    this.#post({ type: 'draw', id: ++this.#id, job }, job.photo instanceof ImageBitmap ? [job.photo] : []);
    return this.#pending.drawn.promise;
  }

  /** Stops the running drawing, if there is one. */
  cancel(): void {
    if (this.#pending === undefined) return;
    this.#fail(new U2NetError('cancelled', 'Cancelled.'));
  }

  /** Loses the GPU context for real, to test the recovery. */
  loseContext(): void {
    this.#post({ type: 'lose-context' });
  }

  #post(request: Request, transfer: Transferable[] = []): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(request, transfer);
  }

  #start(): Worker {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    worker.addEventListener('message', (event: MessageEvent<Reply>) => this.#receive(event.data));
    worker.addEventListener('error', (event) => {
      const reason = event.message || 'its code could not be loaded';
      this.#fail(new U2NetError('internal', `The worker stopped (${reason}). Reload the page and try again.`));
    });
    return worker;
  }

  #receive(reply: Reply): void {
    switch (reply.type) {
      case 'probed':
        this.#probed?.resolve(reply.backends);
        break;
      case 'progress':
        this.#pending?.onProgress(reply.stage, reply.loaded, reply.total);
        break;
      case 'drawing': {
        const pending = this.#pending;
        this.#pending = undefined;
        this.#files = Promise.withResolvers();
        pending?.drawn.resolve({ drawing: reply.drawing, files: this.#files.promise });
        break;
      }
      case 'files':
        if (reply.id === this.#id) this.#files?.resolve(reply.files);
        break;
      case 'failed': {
        const error = new U2NetError(reply.code, reply.message);
        // After running out of memory, or in an unknown state, a new worker is the safest way to continue. After a
        // failed download, this worker is still good.
        if (reply.code === 'out-of-memory' || reply.code === 'internal' || reply.code === 'backend-unavailable')
          this.#fail(error);
        else this.#reject(error);
        break;
      }
      case 'context-lost': {
        const busy = this.#pending !== undefined;
        this.#fail(new U2NetError('context-lost', reply.reason));
        if (!busy) this.onIdleLoss(reply.reason);
        break;
      }
    }
  }

  #fail(error: U2NetError): void {
    this.#discard();
    this.#probed?.reject(error);
    this.#reject(error);
  }

  #reject(error: U2NetError): void {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.drawn.reject(error);
  }

  #discard(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#backend = undefined;
    this.#files = undefined;
  }
}

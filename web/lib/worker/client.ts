import type { BackendReport } from '../engines/backends';
import { type ErrorCode, U2NetError } from '../errors';
import { said } from '../messages';
import {
  type Drawing,
  type DrawJob,
  type LoadTiming,
  type Plan,
  type PngFiles,
  PROTOCOL,
  type Reply,
  type Request,
  type Stage,
} from './protocol';
import type { Verdict } from '../verdict/compare';

/** @param loaded and total are bytes, while downloading. */
export type OnProgress = (stage: Stage, loaded: number, total: number) => void;

export interface Drawn {
  readonly drawing: Drawing;
  /**
   * Settles when the PNG files are encoded, some time after the drawing. If none were asked for, or another drawing is asked for
   * first, it never settles. Nobody has to handle its failure.
   */
  readonly files: Promise<PngFiles>;
}

/**
 * After running out of memory, or in an unknown state, a new worker is the safest way to continue. After a failed
 * download, the worker is still good.
 */
const UNSAFE: ReadonlySet<ErrorCode> = new Set(['out-of-memory', 'internal', 'backend-unavailable', 'wrong-results']);

type Answer = Drawn | LoadTiming | Verdict;

interface Pending {
  readonly onProgress: OnProgress;
  readonly done: PromiseWithResolvers<Answer>;
}

/**
 * The page's side of the worker. One worker serves only one backend. It is replaced when another backend is asked for,
 * when a drawing is cancelled (nothing else stops wasm), and when the GPU is lost.
 */
export class WorkerClient {
  readonly #start: () => Worker;
  #worker: Worker | undefined;
  #backend: string | undefined;
  #probed: PromiseWithResolvers<BackendReport[]> | undefined;
  #pending: Pending | undefined;
  #files: PromiseWithResolvers<PngFiles> | undefined;
  /** The number of the latest drawing asked for. Files of an older one come too late. */
  #id = 0;

  /** Called when the GPU is lost while no drawing is running. */
  onIdleLoss: (error: U2NetError) => void = () => {};

  /** Called when a content security policy refuses the worker something. */
  onRefusal: (directive: string, blocked: string) => void = () => {};

  /** @param start starts a worker that runs worker.ts. */
  constructor(start: () => Worker) {
    this.#start = start;
  }

  /** @throws U2NetError `worker-unavailable` if the worker cannot be started, or speaks another protocol. */
  probe(): Promise<BackendReport[]> {
    this.#probed ??= Promise.withResolvers();
    this.#post({ type: 'probe' });
    return this.#probed.promise;
  }

  /** Downloads and sets up a model, so that the next drawing starts at once. @throws U2NetError as {@link draw}. */
  load(plan: Plan, onProgress: OnProgress): Promise<LoadTiming> {
    return this.#ask({ type: 'load', plan }, plan, onProgress, []) as Promise<LoadTiming>;
  }

  /** Checks a backend with a model, even if it was checked before. @throws U2NetError as {@link draw}. */
  check(plan: Plan, onProgress: OnProgress): Promise<Verdict> {
    return this.#ask({ type: 'check', plan }, plan, onProgress, []) as Promise<Verdict>;
  }

  /** One drawing at a time. @throws U2NetError; `cancelled` after {@link cancel}, `context-lost` if the GPU was lost. */
  draw(job: DrawJob, onProgress: OnProgress): Promise<Drawn> {
    const transfer = job.photo instanceof Blob ? [] : [job.photo];
    return this.#ask({ type: 'draw', id: ++this.#id, job }, job, onProgress, transfer) as Promise<Drawn>;
  }

  /** Stops the running work, if there is any. */
  cancel(): void {
    if (this.#pending === undefined) return;
    this.#fail(new U2NetError('cancelled', said('cancelled')));
  }

  /** Ends the worker and frees all that it holds. */
  close(): void {
    this.cancel();
    this.#discard();
  }

  /** Loses the GPU context for real, to test the recovery. */
  loseContext(): void {
    this.#post({ type: 'lose-context' });
  }

  #ask(
    request: Request,
    { backend, threads }: Plan,
    onProgress: OnProgress,
    transfer: Transferable[],
  ): Promise<Answer> {
    if (this.#pending !== undefined) throw new Error('A drawing is under way');
    const served = `${backend} ${threads}`;
    if (this.#backend !== undefined && this.#backend !== served) this.#discard();
    this.#backend = served;
    this.#pending = { onProgress, done: Promise.withResolvers() };
    this.#post(request, transfer);
    return this.#pending.done.promise;
  }

  #post(request: Request, transfer: Transferable[] = []): void {
    this.#worker ??= this.#open();
    this.#worker.postMessage(request, transfer);
  }

  #open(): Worker {
    const worker = this.#start();
    worker.addEventListener('message', (event: MessageEvent<Reply>) => this.#receive(event.data));
    worker.addEventListener('error', (event) => {
      this.#fail(
        event.message
          ? new U2NetError('internal', said('workerStopped', event.message))
          : new U2NetError('worker-unavailable', said('workerMissing')),
      );
    });
    return worker;
  }

  #receive(reply: Reply): void {
    switch (reply.type) {
      case 'probed':
        if (reply.protocol === PROTOCOL) this.#probed?.resolve(reply.backends);
        else this.#fail(new U2NetError('worker-unavailable', said('protocolDiffers')));
        break;
      case 'progress':
        this.#pending?.onProgress(reply.stage, reply.loaded, reply.total);
        break;
      case 'loaded':
        this.#settle(reply.timing);
        break;
      case 'checked':
        this.#settle(reply.verdict);
        break;
      case 'drawing':
        this.#files = Promise.withResolvers();
        this.#files.promise.catch(() => {});
        this.#settle({ drawing: reply.drawing, files: this.#files.promise });
        break;
      case 'files':
        if (reply.id === this.#id) this.#files?.resolve(reply.files);
        break;
      case 'failed': {
        const error = new U2NetError(reply.code, reply.said);
        // After the drawing, only its files can fail.
        if (this.#pending === undefined) this.#files?.reject(error);
        if (UNSAFE.has(reply.code)) this.#fail(error);
        else this.#reject(error);
        break;
      }
      case 'refused':
        this.onRefusal(reply.directive, reply.blocked);
        break;
      case 'context-lost': {
        const busy = this.#pending !== undefined;
        const error = new U2NetError('context-lost', reply.reason);
        this.#fail(error);
        if (!busy) this.onIdleLoss(error);
        break;
      }
    }
  }

  #settle(result: Answer): void {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.done.resolve(result);
  }

  #fail(error: U2NetError): void {
    this.#discard();
    this.#probed?.reject(error);
    this.#reject(error);
  }

  #reject(error: U2NetError): void {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.done.reject(error);
  }

  #discard(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#backend = undefined;
    this.#files?.reject(new U2NetError('cancelled', said('cancelled')));
    this.#files = undefined;
  }
}

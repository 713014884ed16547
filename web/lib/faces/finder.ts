import { type ErrorCode, U2NetError } from '../errors';
import { type Rect, type Size, wholeOf } from '../geometry';
import { type Said, said } from '../messages';
import type { Face } from './boxes';
import { frameFace } from './frame_face';

export interface FaceRequest {
  readonly id: number;
  /** An encoded image, or one that is already in memory. The worker closes the latter. */
  readonly photo: Blob | ImageBitmap | VideoFrame;
  /** The size that the boxes are to refer to. */
  readonly size: Size;
  /** Whether to look for small faces too, which takes seven times as long. */
  readonly thorough: boolean;
}

export type FaceReply =
  | { readonly id: number; readonly faces: Face[] }
  | { readonly id: number; readonly code: ErrorCode; readonly said: Said };

/** A face, and the square part of the photo that a portrait of it shows. */
export interface FramedFace extends Face {
  readonly frame: Rect;
}

/** Finds faces, in a worker of its own, which starts when the first photo comes. */
export class FaceFinder {
  readonly #start: () => Worker;
  readonly #pending = new Map<number, PromiseWithResolvers<readonly Face[]>>();
  #worker: Worker | undefined;
  #id = 0;

  /** @param start starts a worker that runs find_faces.ts. */
  constructor(start: () => Worker) {
    this.#start = start;
  }

  /**
   * Finds the faces of a photo, the largest one first.
   *
   * @param photo a picture in memory is used up.
   * @throws U2NetError `photo-unreadable`, `download-interrupted`, `file-corrupt` or `worker-unavailable`.
   */
  async find(photo: FaceRequest['photo'], size: Size, thorough = true): Promise<FramedFace[]> {
    const id = ++this.#id;
    const found = Promise.withResolvers<readonly Face[]>();
    this.#pending.set(id, found);
    this.#worker ??= this.#open();
    const request: FaceRequest = { id, photo, size: { width: size.width, height: size.height }, thorough };
    this.#worker.postMessage(request, photo instanceof Blob ? [] : [photo]);
    return (await found.promise).map((face) => ({ ...face, frame: frameFace(face, size) }));
  }

  /** The part of a photo that shows its largest face, or the whole photo if it shows none. @throws as {@link find}. */
  async frame(photo: FaceRequest['photo'], size: Size): Promise<Rect> {
    const [largest] = await this.find(await copy(photo), size);
    return largest?.frame ?? wholeOf(size);
  }

  /** Ends the worker. Searches that are under way fail with `disposed`. */
  close(): void {
    this.#end(new U2NetError('disposed', said('facesEnded')));
  }

  #open(): Worker {
    const worker = this.#start();
    worker.addEventListener('message', ({ data }: MessageEvent<FaceReply>) => {
      const found = this.#pending.get(data.id);
      this.#pending.delete(data.id);
      if ('faces' in data) found?.resolve(data.faces);
      else found?.reject(new U2NetError(data.code, data.said));
    });
    worker.addEventListener('error', (event) => {
      const reason = event.message ? said('verbatim', event.message) : said('codeMissing');
      this.#end(new U2NetError('worker-unavailable', said('facesStopped', reason)));
    });
    return worker;
  }

  #end(error: U2NetError): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    for (const found of this.#pending.values()) found.reject(error);
    this.#pending.clear();
  }
}

/** Another hold on a picture in memory, or the encoded image itself. */
export function copy(photo: FaceRequest['photo']): Promise<FaceRequest['photo']> | FaceRequest['photo'] {
  if (photo instanceof Blob) return photo;
  return photo instanceof ImageBitmap ? createImageBitmap(photo) : photo.clone();
}

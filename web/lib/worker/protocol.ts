import type { BackendName, BackendReport } from '../engines/backends';
import type { ErrorCode } from '../errors';
import type { Rect, Size } from '../geometry';
import type { Said } from '../messages';
import type { Artifact, Task } from '../site/catalogue';
import type { Check } from '../verdict/check';
import type { Verdict } from '../verdict/compare';

/**
 * The version of these messages. Increase it with every change that the older side would misread: a page may have the
 * library of one release and start the worker of another.
 */
export const PROTOCOL = 3;

/** How to use a model: where its files are, and what computes. */
export interface Plan {
  readonly task: Task;
  readonly resolution: number;
  readonly artifact: Artifact;
  /** Address of the catalogue. */
  readonly base: string;
  readonly backend: BackendName;
  readonly threads: number;
  /** How to check what computes before its first use, or null if that is not to be checked. */
  readonly check: Check | null;
}

/**
 * What can be made of a photo besides d0: the drawing or the mask, the photo with the mask as alpha (only for saliency),
 * the part of the photo that was drawn, and PNG files of the first two, as far as they are asked for.
 */
export type Product = 'picture' | 'cut-out' | 'photo' | 'png';

/** One drawing to be made. */
export interface DrawJob extends Plan {
  /** An encoded image, or one that is already in memory. The worker closes the latter. */
  readonly photo: Blob | ImageBitmap | VideoFrame;
  /** The size at which the photo is worked on. */
  readonly size: Size;
  /** The part to draw, in whole pixels of `size`. */
  readonly crop: Rect;
  readonly products: readonly Product[];
}

/** How many milliseconds loading a model took. All are 0 for a model that is already loaded. */
export interface LoadTiming {
  readonly download_ms: number;
  readonly load_ms: number;
  /** Compiling the shaders; 0 on the processor. */
  readonly warmup_ms: number;
}

/** How many milliseconds each part of a drawing took. */
export interface Timing extends LoadTiming {
  readonly run_ms: number;
  readonly decode_ms: number;
  readonly preprocess_ms: number;
  readonly postprocess_ms: number;
}

export interface Drawing {
  /** The network's output, float32 [resolution, resolution] in [0, 1]. */
  readonly d0: Float32Array<ArrayBuffer>;
  /** The drawing, or the mask, of the size of pictureSize. This and the next two are null if they were not asked for. */
  readonly picture: ImageBitmap | null;
  /** The photo with the mask as alpha; only for saliency. */
  readonly cutOut: ImageBitmap | null;
  /** The part of the photo that was drawn. */
  readonly photo: ImageBitmap | null;
  readonly timing: Timing;
  readonly backend: BackendName;
  readonly threads: number;
  /** What the check of the backend found, or null if it was not checked. */
  readonly verdict: Verdict | null;
  /** Tensors alive after the run. If nothing leaks: the model's weights for TensorFlow.js, zero for LiteRT. */
  readonly tensors: number;
  /** Bytes of the model that came over the network. */
  readonly bytes_fetched: number;
}

/** The drawing's pictures as PNG; null if they were not asked for. */
export interface PngFiles {
  readonly picture: Blob | null;
  readonly cutOut: Blob | null;
}

export type Stage = 'engine' | 'download' | 'load' | 'warmup' | 'check' | 'run' | 'finish';

export type Request =
  | { readonly type: 'probe' }
  | { readonly type: 'load'; readonly plan: Plan }
  /** Checks the backend, even if it was checked before. */
  | { readonly type: 'check'; readonly plan: Plan }
  | { readonly type: 'draw'; readonly id: number; readonly job: DrawJob }
  /** Loses the GPU context for real, to test the recovery. */
  | { readonly type: 'lose-context' };

export type Reply =
  | { readonly type: 'probed'; readonly protocol: number; readonly backends: BackendReport[] }
  | { readonly type: 'progress'; readonly stage: Stage; readonly loaded: number; readonly total: number }
  | { readonly type: 'loaded'; readonly timing: LoadTiming }
  | { readonly type: 'checked'; readonly verdict: Verdict }
  | { readonly type: 'drawing'; readonly drawing: Drawing }
  | { readonly type: 'files'; readonly id: number; readonly files: PngFiles }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly said: Said }
  /** A content security policy refused the worker something: a directive, and what it was. */
  | { readonly type: 'refused'; readonly directive: string; readonly blocked: string }
  /** The GPU is gone, whether or not a drawing is running. This worker can do nothing more. */
  | { readonly type: 'context-lost'; readonly reason: Said };

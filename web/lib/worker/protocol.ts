import type { BackendName, BackendReport } from '../engines/backends';
import type { ErrorCode } from '../errors';
import type { Rect, Size } from '../geometry';
import type { Artifact, Task } from '../site/catalogue';

/** One drawing to be made. */
export interface DrawJob {
  /** An encoded image, or a frame of the camera. */
  readonly photo: Blob | ImageBitmap;
  /** The size at which the photo is worked on. */
  readonly size: Size;
  /** The part to draw, in whole pixels of `size`. */
  readonly crop: Rect;
  readonly task: Task;
  readonly resolution: number;
  readonly artifact: Artifact;
  /** Address of the catalogue. */
  readonly base: string;
  readonly backend: BackendName;
  readonly threads: number;
  /** Return only the drawing, for live frames: no files to download, and no picture of the photo. */
  readonly preview: boolean;
}

/** How many milliseconds each part of a drawing took. */
export interface Timing {
  readonly download_ms: number;
  readonly load_ms: number;
  /** Compiling the shaders; 0 on the processor and for a model that has run before. */
  readonly warmup_ms: number;
  readonly run_ms: number;
  readonly decode_ms: number;
  readonly preprocess_ms: number;
  readonly postprocess_ms: number;
}

export interface Drawing {
  /** The network's output, float32 [resolution, resolution] in [0, 1]. */
  readonly d0: Float32Array<ArrayBuffer>;
  /** The drawing, or the mask, at the crop's size. */
  readonly picture: ImageBitmap;
  /** The photo with the mask as alpha; only for saliency. */
  readonly cutOut: ImageBitmap | null;
  /** The part of the photo that was drawn; null in a preview. */
  readonly photo: ImageBitmap | null;
  readonly timing: Timing;
  readonly backend: BackendName;
  readonly threads: number;
  /** Tensors alive after the run. If nothing leaks: the model's weights for TensorFlow.js, zero for LiteRT. */
  readonly tensors: number;
  /** Bytes of the model that came over the network. */
  readonly bytes_fetched: number;
}

/** The drawing's pictures as PNG. */
export interface PngFiles {
  readonly picture: Blob;
  readonly cutOut: Blob | null;
}

export type Stage = 'download' | 'load' | 'warmup' | 'run' | 'finish';

export type Request =
  | { readonly type: 'probe' }
  | { readonly type: 'draw'; readonly id: number; readonly job: DrawJob }
  /** Loses the GPU context for real, to test the recovery. */
  | { readonly type: 'lose-context' };

export type Reply =
  | { readonly type: 'probed'; readonly backends: BackendReport[] }
  | { readonly type: 'progress'; readonly stage: Stage; readonly loaded: number; readonly total: number }
  | { readonly type: 'drawing'; readonly drawing: Drawing }
  | { readonly type: 'files'; readonly id: number; readonly files: PngFiles }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string }
  /** The GPU is gone, whether or not a drawing is running. This worker can do nothing more. */
  | { readonly type: 'context-lost'; readonly reason: string };

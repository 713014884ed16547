/** What the page asks a contender's worker, and what it answers. */

/** An engine and what it runs: a model of ours, or for scale the product of two square matrices of `side`. */
export type Contender =
  | { readonly engine: 'tfjs' | 'litert' | 'onnxruntime'; readonly url: string; readonly resolution: number }
  | { readonly engine: 'dense-tfjs'; readonly side: number }
  | { readonly engine: 'dense-litert'; readonly url: string; readonly side: number };

/** How the contender came up; times in milliseconds. */
export interface Opened {
  /** The engine's own version. */
  readonly version: string;
  /** Threads that compute. */
  readonly threads: number;
  /** Bytes of the model. */
  readonly bytes: number;
  readonly engine_ms: number;
  readonly download_ms: number;
  readonly load_ms: number;
}

/** One frame: from the input in JavaScript's memory to d0 there; `d0` where it was asked for. */
export interface Frame {
  readonly ms: number;
  readonly d0: Float32Array | null;
}

/** What a graph does on a backend, without times. */
export interface Profile {
  readonly kernels: Record<string, number>;
  /** The most bytes that tensors held at once, weights included (tf.profile). */
  readonly peak_bytes: number;
  /** Bytes of GPU memory that the backend had allocated afterwards, textures or buffers; null on wasm. */
  readonly gpu_bytes: number | null;
}

export type Backend = 'wasm' | 'webgl' | 'webgpu';

export type Request =
  | { readonly type: 'open'; readonly contender: Contender; readonly threads: number; readonly input: string }
  | { readonly type: 'frame'; readonly output: boolean }
  | { readonly type: 'profile'; readonly contender: Contender; readonly backend: Backend };

export type Reply =
  | { readonly type: 'opened'; readonly opened: Opened }
  | { readonly type: 'frame'; readonly frame: Frame }
  | { readonly type: 'profile'; readonly profile: Profile }
  | { readonly type: 'failed'; readonly message: string };

/** A model, loaded. */
export interface Session {
  /** @returns d0 of the input, as the engine hands it out. */
  run(input: Float32Array): Promise<Float32Array>;
}

/** An engine, started and not yet with a model. */
export interface TimedEngine {
  readonly version: string;
  readonly threads: number;
  /** Which of the probe's layouts its models take. */
  readonly layout: 'nchw' | 'nhwc';
  download(url: string): Promise<{ readonly bytes: number; load(shape: readonly number[]): Promise<Session> }>;
}

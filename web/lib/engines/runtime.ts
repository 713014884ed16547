import type { Artifact } from '../site/catalogue';
import type { FileStore, Received } from '../site/file_store';
import type { BackendName } from './backends';

/** An engine on one backend: TensorFlow.js or LiteRT. */
export interface Runtime {
  readonly name: BackendName;
  /** Threads that compute; 1 for a GPU. */
  readonly threads: number;
  /**
   * Reads and checks a model's files.
   *
   * @param base the address of the catalogue.
   * @throws U2NetError as {@link FileStore.read} does, and `model-invalid` if the files do not fit together.
   */
  read(store: FileStore, base: URL, artifact: Artifact, onProgress: (progress: Received) => void): Promise<ModelFiles>;
  /** Tensors that were made and not yet freed. */
  tensors(): number;
  /** @throws U2NetError `context-lost` if the GPU reported an error: then its results cannot be trusted. */
  check(): void;
  /** Loses the GPU context as a driver reset would. */
  loseContext(): void;
}

/** A model's files, checked and in memory, not yet on any backend. */
export interface ModelFiles {
  /** Bytes that came over the network. */
  readonly fetched: number;
  /** @throws U2NetError `model-invalid` if the input is not NHWC [1, resolution, resolution, 3]. */
  load(resolution: number): Promise<Network>;
}

/** A network on its backend. Its weights stay there until {@link dispose}. */
export interface Network {
  /** Compiles what {@link run} needs, if that is worth a separate step. */
  warmUp(): Promise<void>;
  /**
   * @param input float32 NHWC [1, resolution, resolution, 3].
   * @returns d0, float32 NHWC [1, resolution, resolution, 1] in [0, 1].
   */
  run(input: Float32Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>>;
  dispose(): void;
}

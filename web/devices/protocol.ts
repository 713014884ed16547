import type { BackendReport } from '../lib/engines/backends';
import type { Artifact, FileRef, Probe } from '../lib/site/catalogue';
import type { TimedBackend } from './report';

/** One engine, to be compared and then timed at each size. */
export interface Task {
  readonly backend: TimedBackend;
  readonly threads: number;
  readonly device: string;
  /** The processor emulates this GPU, so it is not timed. */
  readonly emulated: boolean;
  /** Address of the catalogue, to which the files' addresses are relative. */
  readonly base: string;
  readonly probe: Probe;
  /** The model by size. It is empty for ONNX Runtime, which runs one file at every size. */
  readonly artifacts: Readonly<Record<number, Artifact>>;
  /** The file that ONNX Runtime runs, or null if the site has none. */
  readonly onnx: FileRef | null;
  readonly sizes: readonly number[];
}

/** What a worker is asked. It answers once and is then ended, so that each engine and each size begins with nothing. */
export type Request =
  | { readonly type: 'probe' }
  | { readonly type: 'check'; readonly task: Task }
  | { readonly type: 'time'; readonly task: Task; readonly resolution: number };

export type Reply =
  | { readonly type: 'probed'; readonly backends: readonly BackendReport[] }
  | { readonly type: 'checked'; readonly passed: boolean; readonly max_abs: number | null }
  | { readonly type: 'timed'; readonly frames_ms: readonly number[] }
  | { readonly type: 'failed'; readonly reason: string };

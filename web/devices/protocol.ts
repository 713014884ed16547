import type { BackendReport } from '../lib/engines/backends';
import type { Artifact, FileRef, Probe } from '../lib/site/catalogue';
import type { Row, TimedBackend } from './report';

/** One engine's task. A worker does one and is then ended, so that each engine starts with nothing. */
export interface Task {
  readonly type: 'measure';
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

export type Request = { readonly type: 'probe' } | Task;

export type Reply =
  | { readonly type: 'probed'; readonly backends: readonly BackendReport[] }
  | { readonly type: 'row'; readonly row: Row }
  | { readonly type: 'done' };

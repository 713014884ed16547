import type { BackendName } from '../../lib/engines/backends';
import type { Rect } from '../../lib/geometry';
import type { Task } from '../../lib/site/catalogue';
import type { Made } from './artist';

/** The detail of the `drawing` event. window gets this event after each drawing, except for live ones. */
export interface DrawingDetail {
  /** The network's output, float32 [resolution, resolution] in [0, 1]. */
  readonly d0: Float32Array;
  readonly model: string;
  readonly task: Task;
  readonly resolution: number;
  readonly dtype: string;
  readonly backend: BackendName;
  readonly crop: Rect;
}

/** Announces a drawing on the page's window, mainly for tests. */
export function announce({ drawing, choice: { model, resolution, artifact } }: Made, crop: Rect): void {
  const { d0, timing, backend, threads, tensors, bytes_fetched } = drawing;
  const detail: DrawingDetail = {
    d0,
    model: model.name,
    task: model.task,
    resolution: resolution.side,
    dtype: artifact.dtype,
    backend,
    crop,
  };
  document.documentElement.dataset['timing'] = JSON.stringify({ ...timing, backend, threads, tensors, bytes_fetched });
  window.dispatchEvent(new CustomEvent<DrawingDetail>('drawing', { detail }));
}

import { type BackendReport, onProcessor } from '../engines/backends';
import { formatBytes } from '../format';
import type { Model } from '../site/catalogue';

/**
 * Bytes of activations a pixel of the input, at the moment when most are alive, as the manifests' peak_bytes have it:
 * three maps of 64 channels at full resolution, the input, and little else. Both sizes of the network carry 64 channels
 * there, so one figure serves.
 */
const ACTIVATION_BYTES = 800;
/** What a GPU backend holds beyond its live tensors: it keeps freed buffers for the next layer. */
const GPU_OVERHEAD = 2;
/** The largest single tensor: 64 channels at full resolution. */
const LARGEST_TENSOR_BYTES = 64 * 4;
/** Shares of the machine's memory that a browser's GPU process can be expected to get. */
const GPU_SHARE = 1 / 4;
/** Where the browser does not tell the machine's memory (in GiB). */
const ASSUMED_MEMORY_GIB = 4;

/** Bytes a drawing is expected to take at its peak, weights included. An estimate on the high side. */
export function peakBytes(model: Model, resolution: number, backend: BackendReport): number {
  const live = 4 * model.parameters + ACTIVATION_BYTES * resolution ** 2;
  return onProcessor(backend.name) ? live : live * GPU_OVERHEAD;
}

/**
 * Why a drawing would not fit, or null if it should.
 *
 * @param deviceMemory navigator.deviceMemory in GiB, undefined where the browser does not tell.
 */
export function misfit(
  model: Model,
  resolution: number,
  backend: BackendReport,
  deviceMemory: number | undefined,
): string | null {
  if (onProcessor(backend.name)) return null;
  if (LARGEST_TENSOR_BYTES * resolution ** 2 > backend.maxTensorBytes) {
    return `${backend.name} here takes at most ${formatBytes(backend.maxTensorBytes)} in one piece, too little for ${resolution} × ${resolution}`;
  }
  const needed = peakBytes(model, resolution, backend);
  const budget = (deviceMemory ?? ASSUMED_MEMORY_GIB) * 2 ** 30 * GPU_SHARE;
  if (needed <= budget) return null;
  return `${model.name} at ${resolution} × ${resolution} needs about ${formatBytes(needed)} of graphics memory, and about ${formatBytes(budget)} can be counted on here`;
}

import { type BackendReport, onProcessor } from '../engines/backends';
import { type Said, said } from '../messages';
import type { ModelEntry } from '../site/catalogue';

/**
 * Bytes of activations per pixel of the input at the peak, as the manifests' peak_bytes say: three maps of 64 channels
 * at full resolution, the input, and little else. Both sizes of the network have 64 channels there, so one figure is
 * enough.
 */
const ACTIVATION_BYTES = 800;
/** A GPU backend takes this many times the memory of its live tensors: it keeps freed buffers for the next layer. */
const GPU_OVERHEAD = 2;
/** The largest single tensor: 64 channels at full resolution. */
const LARGEST_TENSOR_BYTES = 64 * 4;
/**
 * What LiteRT.js takes on the processor, per pixel of the input. Together with one copy of the weights it fits what was
 * measured at 1024 × 1024 to 2 %: 1808 MiB for u2netp and 2020 MiB for U²-Net, a second copy of the weights included.
 */
const LITERT_BYTES = 1820;
/** LiteRT.js' WebAssembly has room for no more. */
const LITERT_ROOM = 2 ** 31;
/** Shares of the machine's memory that a browser's GPU process can be expected to get. */
const GPU_SHARE = 1 / 4;
/** The memory to assume, in GiB, if the browser does not tell the machine's memory. */
const ASSUMED_MEMORY_GIB = 4;

/** The bytes that a drawing is expected to take at its peak, with the weights. This estimate is rather high. */
export function peakBytes(model: ModelEntry, resolution: number, backend: BackendReport): number {
  const live = 4 * model.parameters + ACTIVATION_BYTES * resolution ** 2;
  return onProcessor(backend.name) ? live : live * GPU_OVERHEAD;
}

/**
 * Why a drawing would not fit, or null if it should.
 *
 * @param deviceMemory navigator.deviceMemory in GiB, or undefined if the browser does not tell it.
 */
export function misfit(
  model: ModelEntry,
  resolution: number,
  backend: BackendReport,
  deviceMemory: number | undefined,
): Said | null {
  if (backend.name === 'litert-wasm') {
    const needed = 4 * model.parameters + LITERT_BYTES * resolution ** 2;
    return needed <= LITERT_ROOM ? null : said('litertTooSmall', model.name, resolution, needed, LITERT_ROOM);
  }
  if (onProcessor(backend.name)) return null;
  if (LARGEST_TENSOR_BYTES * resolution ** 2 > backend.maxTensorBytes) {
    return said('pieceTooLarge', backend.name, backend.maxTensorBytes, resolution);
  }
  const needed = peakBytes(model, resolution, backend);
  const budget = (deviceMemory ?? ASSUMED_MEMORY_GIB) * 2 ** 30 * GPU_SHARE;
  if (needed <= budget) return null;
  return said('memoryTooSmall', model.name, resolution, needed, budget);
}

import { reasonOf, U2NetError } from '../errors';
import { type Said, said } from '../messages';
import type { Received } from '../site/file_store';
import type { BackendName } from './backends';
import { litertBuild } from './litert/probe';
import type { Runtime } from './runtime';

/**
 * Sets a backend up. A worker does this once, because the number of threads cannot be changed afterwards.
 *
 * @param onLost called once if the GPU is lost or reports an error.
 * @param onProgress called while the engine itself is downloaded.
 * @throws U2NetError `backend-unavailable`.
 */
export async function startRuntime(
  name: BackendName,
  threads: number,
  onLost: (reason: Said) => void,
  onProgress: (progress: Received) => void,
): Promise<Runtime> {
  try {
    switch (name) {
      case 'webgpu':
      case 'webgl':
      case 'wasm':
        return await (await import('./tfjs/start')).startTfjs(name, threads, onLost);
      case 'litert-webgpu':
        return await (await import('./litert/start')).startLitertWebgpu(litertBuild(), onLost, onProgress);
      case 'litert-wasm':
        return await (await import('./litert/start')).startLitertWasm(litertBuild(), threads, onProgress);
    }
  } catch (cause) {
    if (cause instanceof U2NetError) throw cause;
    throw new U2NetError('backend-unavailable', said('backendNotStarted', name, reasonOf(cause)), { cause });
  }
}

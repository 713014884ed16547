import { U2NetError } from '../errors';
import type { BackendName } from './backends';
import { litertBuild } from './litert/probe';
import type { Runtime } from './runtime';
import { startTfjs } from './tfjs/start';

/**
 * Sets a backend up. A worker does this once, because the number of threads cannot be changed afterwards.
 *
 * @param onLost called once if the GPU is lost or reports an error.
 * @throws U2NetError `backend-unavailable`.
 */
export async function startRuntime(
  name: BackendName,
  threads: number,
  onLost: (reason: string) => void,
): Promise<Runtime> {
  try {
    switch (name) {
      case 'webgpu':
      case 'webgl':
      case 'wasm':
        return await startTfjs(name, threads, onLost);
      case 'litert-webgpu':
        return await (await import('./litert/start')).startLitertWebgpu(await litertBuild(), onLost);
      case 'litert-wasm':
        return await (await import('./litert/start')).startLitertWasm(await litertBuild(), threads);
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new U2NetError(
      'backend-unavailable',
      `${name} could not be started here (${reason}). Choose another backend.`,
      {
        cause,
      },
    );
  }
}

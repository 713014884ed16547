import { type BackendReport, unavailable } from '../backends';
import { processor } from '../processor';

/** Which of LiteRT's WebAssembly builds runs here: threads need relaxed SIMD. */
export type Build = 'threaded' | 'plain' | 'compat';

export async function probeLitertWasm(): Promise<BackendReport> {
  if (typeof WebAssembly === 'undefined') return unavailable('litert-wasm', 'this browser runs no WebAssembly');
  return processor('litert-wasm', (await litertBuild()) === 'threaded');
}

/** The fastest build of LiteRT that this browser runs. */
export async function litertBuild(): Promise<Build> {
  const { supportsFeature } = await import('@litertjs/core');
  if (!(await supportsFeature('relaxedSimd'))) return 'compat';
  return (await supportsFeature('threads')) && crossOriginIsolated ? 'threaded' : 'plain';
}

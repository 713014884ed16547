import { said } from '../../messages';
import { type BackendReport, unavailable } from '../backends';
import { processor } from '../processor';
import { hasRelaxedSimd, hasThreads } from '../wasm_features';

/** Which of LiteRT's WebAssembly builds runs here: threads need relaxed SIMD. */
export type Build = 'threaded' | 'plain' | 'compat';

/** @param download bytes of LiteRT that are still to be downloaded. */
export function probeLitertWasm(download: number): BackendReport {
  if (typeof WebAssembly === 'undefined') return unavailable('litert-wasm', said('noWasm'));
  return processor('litert-wasm', litertBuild() === 'threaded', download);
}

/** The fastest build of LiteRT that this browser runs. */
export function litertBuild(): Build {
  if (!hasRelaxedSimd()) return 'compat';
  return hasThreads() ? 'threaded' : 'plain';
}

import { said } from '../../messages';
import { type BackendReport, SOFTWARE, unavailable } from '../backends';
import { processor } from '../processor';
import { hasSimd, hasThreads } from '../wasm_features';

/** @param download bytes of TensorFlow.js that are still to be downloaded. */
export function probeWebgl(download: number): Promise<BackendReport> {
  const gl = new OffscreenCanvas(1, 1).getContext('webgl2');
  if (gl === null) return Promise.resolve(unavailable('webgl', said('noWebgl')));
  try {
    if (gl.getExtension('EXT_color_buffer_float') === null) {
      return Promise.resolve(unavailable('webgl', said('noFloats')));
    }
    const info = gl.getExtension('WEBGL_debug_renderer_info');
    const device = String(gl.getParameter(info === null ? gl.RENDERER : info.UNMASKED_RENDERER_WEBGL));
    const side = Number(gl.getParameter(gl.MAX_TEXTURE_SIZE));
    return Promise.resolve({
      name: 'webgl',
      unavailable: null,
      device,
      software: SOFTWARE.test(device),
      threads: 1,
      // Each texel holds four float32 values.
      maxTensorBytes: side * side * 16,
      download,
    });
  } finally {
    gl.getExtension('WEBGL_lose_context')?.loseContext();
  }
}

/** @param download bytes of TensorFlow.js that are still to be downloaded. */
export function probeWasm(download: number): BackendReport {
  if (typeof WebAssembly === 'undefined') return unavailable('wasm', said('noWasm'));
  // TensorFlow.js has a threaded binary only with SIMD.
  return processor('wasm', hasSimd() && hasThreads(), download);
}

import { env } from '@tensorflow/tfjs-core';
// Import only the part that finds out what WebAssembly can do here. The backend itself is loaded when it is used.
import '@tensorflow/tfjs-backend-wasm/dist/flags_wasm';
import { type BackendReport, SOFTWARE, unavailable } from '../backends';
import { processor } from '../processor';

export function probeWebgl(): Promise<BackendReport> {
  const gl = new OffscreenCanvas(1, 1).getContext('webgl2');
  if (gl === null) return Promise.resolve(unavailable('webgl', 'this browser offers no WebGL 2 to a worker'));
  try {
    if (gl.getExtension('EXT_color_buffer_float') === null) {
      return Promise.resolve(unavailable('webgl', 'this GPU cannot compute in 32-bit floating point'));
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
    });
  } finally {
    gl.getExtension('WEBGL_lose_context')?.loseContext();
  }
}

export async function probeWasm(): Promise<BackendReport> {
  if (typeof WebAssembly === 'undefined') return unavailable('wasm', 'this browser runs no WebAssembly');
  const [simd, multithread] = await Promise.all([
    env().getAsync('WASM_HAS_SIMD_SUPPORT'),
    env().getAsync('WASM_HAS_MULTITHREAD_SUPPORT'),
  ]);
  // TensorFlow.js has a threaded binary only with SIMD, and threads share memory only on an isolated page.
  return processor('wasm', Boolean(simd && multithread) && crossOriginIsolated);
}

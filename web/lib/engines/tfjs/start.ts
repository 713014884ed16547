import type { MathBackendWebGL } from '@tensorflow/tfjs-backend-webgl';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { backend as currentBackend, env, memory, ready, setBackend } from '@tensorflow/tfjs-core';
import wasmPlain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import wasmSimd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import wasmThreadedSimd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url';
import { U2NetError } from '../../errors';
import { type Said, said } from '../../messages';
import type { BackendName } from '../backends';
import type { Runtime } from '../runtime';
import { type Compile, openGraph } from './network';

/** TensorFlow.js on one of its backends. */
export interface TfjsRuntime extends Runtime {
  readonly compile: Compile;
}

/** Sets up a backend of TensorFlow.js, as {@link setUp} does. */
export function startTfjs(
  name: 'webgpu' | 'webgl' | 'wasm',
  threads: number,
  onLost: (reason: Said) => void,
): Promise<TfjsRuntime> {
  if (name === 'wasm') return startWasm(threads);
  return name === 'webgpu' ? startWebgpu(onLost) : startWebgl(onLost);
}

function tensors(): number {
  return memory().numTensors;
}

async function activate(name: BackendName): Promise<void> {
  if (!(await setBackend(name))) throw new Error('TensorFlow.js refused it');
  await ready();
}

async function startWebgpu(onLost: (reason: Said) => void): Promise<TfjsRuntime> {
  await import('@tensorflow/tfjs-backend-webgpu');
  await activate('webgpu');
  const backend = currentBackend() as WebGPUBackend;
  let failure: Said | null = null;
  const lose = (reason: string) => {
    failure ??= said('verbatim', reason);
    onLost(failure);
  };
  void backend.device.lost.then((info) => lose(info.message || info.reason));
  backend.device.addEventListener('uncapturederror', (event) => lose(event.error.message));
  const compile: Compile = async (run) => {
    env().set('WEBGPU_ENGINE_COMPILE_ONLY', true);
    try {
      run();
      await backend.checkCompileCompletionAsync();
    } finally {
      env().set('WEBGPU_ENGINE_COMPILE_ONLY', false);
    }
  };
  return {
    name: 'webgpu',
    threads: 1,
    tensors,
    compile,
    read: openGraph(compile),
    check() {
      if (failure !== null) throw new U2NetError('context-lost', failure);
    },
    loseContext: () => backend.device.destroy(),
  };
}

async function startWebgl(onLost: (reason: Said) => void): Promise<TfjsRuntime> {
  await import('@tensorflow/tfjs-backend-webgl');
  // By default, each convolution's input is unrolled into a matrix of nine times its size. That overflows GPU memory
  // at 512 × 512. With this setting the input is read in place.
  env().set('WEBGL_EXP_CONV', true);
  await activate('webgl');
  const backend = currentBackend() as MathBackendWebGL;
  // In a worker the context belongs to an OffscreenCanvas, which TypeScript's types for WebGL in workers leave out.
  const gl = backend.gpgpu.gl as WebGL2RenderingContext & { readonly canvas: OffscreenCanvas };
  gl.canvas.addEventListener('webglcontextlost', () => onLost(said('webglLost')));
  const compile: Compile = async (run) => {
    env().set('ENGINE_COMPILE_ONLY', true);
    try {
      run();
      await backend.checkCompileCompletionAsync();
      backend.getUniformLocations();
    } finally {
      env().set('ENGINE_COMPILE_ONLY', false);
    }
  };
  return {
    name: 'webgl',
    threads: 1,
    tensors,
    compile,
    read: openGraph(compile),
    check() {
      const error = gl.getError();
      if (error !== gl.NO_ERROR) throw new U2NetError('context-lost', said('webglError', error));
    },
    loseContext: () => gl.getExtension('WEBGL_lose_context')?.loseContext(),
  };
}

/** WebAssembly has no shaders. */
const nothing: Compile = () => Promise.resolve();

async function startWasm(threads: number): Promise<TfjsRuntime> {
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths({
    'tfjs-backend-wasm.wasm': wasmPlain,
    'tfjs-backend-wasm-simd.wasm': wasmSimd,
    'tfjs-backend-wasm-threaded-simd.wasm': wasmThreadedSimd,
  });
  wasm.setThreadsCount(threads);
  // It never uses more than half of the logical processors that the browser reports, however many are asked for.
  Object.defineProperty(navigator, 'hardwareConcurrency', { value: 2 * threads, configurable: true });
  await activate('wasm');
  return {
    name: 'wasm',
    threads: wasm.getThreadsCount(),
    tensors,
    compile: nothing,
    read: openGraph(nothing),
    check: () => {},
    loseContext: () => {},
  };
}

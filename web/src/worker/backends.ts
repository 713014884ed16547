import type { MathBackendWebGL } from '@tensorflow/tfjs-backend-webgl';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { backend as currentBackend, env, memory, ready, setBackend } from '@tensorflow/tfjs-core';
// Only what finds out what WebAssembly can do here; the backend itself is loaded when it is used.
import '@tensorflow/tfjs-backend-wasm/dist/flags_wasm';
import wasmPlain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import wasmSimd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import wasmThreadedSimd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url';
import { PageError } from '../errors';
import type { BackendName, BackendReport } from '../protocol';
import type { Engine } from './engine';
import type { Build } from './litert';
import { type Compile, openGraph } from './model';

/** Names under which processors emulate a GPU: Chromium's, Mesa's, Windows' and Apple's. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|software/i;

/** What each backend is on this machine, without setting one up. */
export function probe(): Promise<BackendReport[]> {
  return Promise.all([
    probeWebgpu('webgpu'),
    probeWebgl(),
    probeWasm(),
    probeWebgpu('litert-webgpu'),
    probeLitertWasm(),
  ]);
}

/**
 * Sets a backend up, once in a worker's life: a thread count cannot be changed afterwards.
 *
 * @param onLost called once if the GPU is lost or reports an error.
 * @throws PageError `backend-unavailable`.
 */
export async function setUp(name: BackendName, threads: number, onLost: (reason: string) => void): Promise<Engine> {
  try {
    switch (name) {
      case 'webgpu':
      case 'webgl':
      case 'wasm':
        return await setUpTfjs(name, threads, onLost);
      case 'litert-webgpu':
        return await (await import('./litert')).setUpLitertWebgpu(await litertBuild(), onLost);
      case 'litert-wasm':
        return await (await import('./litert')).setUpLitertWasm(await litertBuild(), threads);
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PageError(
      'backend-unavailable',
      `${name} could not be started here (${reason}). Choose another backend.`,
      {
        cause,
      },
    );
  }
}

/** TensorFlow.js on one of its backends. */
export interface TfjsEngine extends Engine {
  readonly compile: Compile;
}

/** Sets up a backend of TensorFlow.js, as {@link setUp} does. */
export function setUpTfjs(
  name: 'webgpu' | 'webgl' | 'wasm',
  threads: number,
  onLost: (reason: string) => void,
): Promise<TfjsEngine> {
  if (name === 'wasm') return setUpWasm(threads);
  return name === 'webgpu' ? setUpWebgpu(onLost) : setUpWebgl(onLost);
}

function tensors(): number {
  return memory().numTensors;
}

async function activate(name: BackendName): Promise<void> {
  if (!(await setBackend(name))) throw new Error('TensorFlow.js refused it');
  await ready();
}

async function setUpWebgpu(onLost: (reason: string) => void): Promise<TfjsEngine> {
  await import('@tensorflow/tfjs-backend-webgpu');
  await activate('webgpu');
  const backend = currentBackend() as WebGPUBackend;
  let failure: string | null = null;
  const lose = (reason: string) => {
    failure ??= reason;
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
      if (failure !== null) throw new PageError('context-lost', failure);
    },
    loseContext: () => backend.device.destroy(),
  };
}

async function setUpWebgl(onLost: (reason: string) => void): Promise<TfjsEngine> {
  await import('@tensorflow/tfjs-backend-webgl');
  // The default unrolls every convolution's input into a matrix of nine times its size, which is what overflows GPU
  // memory at 512 × 512; this reads the input in place.
  env().set('WEBGL_EXP_CONV', true);
  await activate('webgl');
  const backend = currentBackend() as MathBackendWebGL;
  // In a worker the context lies on an OffscreenCanvas, which TypeScript's types of a worker's WebGL leave out.
  const gl = backend.gpgpu.gl as WebGL2RenderingContext & { readonly canvas: OffscreenCanvas };
  gl.canvas.addEventListener('webglcontextlost', () => onLost('the WebGL context was lost'));
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
      if (error !== gl.NO_ERROR) throw new PageError('context-lost', `WebGL reported error ${error}`);
    },
    loseContext: () => gl.getExtension('WEBGL_lose_context')?.loseContext(),
  };
}

/** WebAssembly has no shaders. */
const nothing: Compile = () => Promise.resolve();

async function setUpWasm(threads: number): Promise<TfjsEngine> {
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths({
    'tfjs-backend-wasm.wasm': wasmPlain,
    'tfjs-backend-wasm-simd.wasm': wasmSimd,
    'tfjs-backend-wasm-threaded-simd.wasm': wasmThreadedSimd,
  });
  wasm.setThreadsCount(threads);
  // However many are asked for, it takes no more than half of the logical processors that the browser tells it of.
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

async function probeWebgpu(name: 'webgpu' | 'litert-webgpu'): Promise<BackendReport> {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  if (!adapter) return unavailable(name, 'this browser offers no WebGPU');
  const { vendor, architecture, description, isFallbackAdapter } = adapter.info;
  const device = description || [vendor, architecture].filter(Boolean).join(' ') || 'GPU';
  return {
    name,
    unavailable: null,
    device,
    software: isFallbackAdapter || SOFTWARE.test(`${device} ${architecture}`),
    threads: 1,
    maxTensorBytes: Math.min(adapter.limits.maxStorageBufferBindingSize, adapter.limits.maxBufferSize),
  };
}

function probeWebgl(): Promise<BackendReport> {
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
      // Four float32 values a texel.
      maxTensorBytes: side * side * 16,
    });
  } finally {
    gl.getExtension('WEBGL_lose_context')?.loseContext();
  }
}

async function probeWasm(): Promise<BackendReport> {
  if (typeof WebAssembly === 'undefined') return unavailable('wasm', 'this browser runs no WebAssembly');
  const [simd, multithread] = await Promise.all([
    env().getAsync('WASM_HAS_SIMD_SUPPORT'),
    env().getAsync('WASM_HAS_MULTITHREAD_SUPPORT'),
  ]);
  // TensorFlow.js builds its threaded binary with SIMD only, and threads share memory only on an isolated page.
  return processor('wasm', Boolean(simd && multithread) && crossOriginIsolated);
}

async function probeLitertWasm(): Promise<BackendReport> {
  if (typeof WebAssembly === 'undefined') return unavailable('litert-wasm', 'this browser runs no WebAssembly');
  return processor('litert-wasm', (await litertBuild()) === 'threaded');
}

/** The fastest build of LiteRT that this browser runs. */
async function litertBuild(): Promise<Build> {
  const { supportsFeature } = await import('@litertjs/core');
  if (!(await supportsFeature('relaxedSimd'))) return 'compat';
  return (await supportsFeature('threads')) && crossOriginIsolated ? 'threaded' : 'plain';
}

function processor(name: BackendName, threaded: boolean): BackendReport {
  return {
    name,
    unavailable: null,
    device: 'processor',
    software: false,
    threads: threaded ? usefulThreads(navigator.hardwareConcurrency) : 1,
    maxTensorBytes: Infinity,
  };
}

/**
 * As many threads as help. Logical processors come in pairs that share one core's arithmetic, so half of them do the
 * work; where there are few, every one counts. TensorFlow.js starts eight workers, however many are asked for.
 */
function usefulThreads(logicalProcessors: number): number {
  return Math.max(
    1,
    Math.min(8, logicalProcessors <= 4 ? logicalProcessors : Math.max(4, Math.floor(logicalProcessors / 2))),
  );
}

function unavailable(name: BackendName, reason: string): BackendReport {
  return { name, unavailable: reason, device: '', software: false, threads: 1, maxTensorBytes: 0 };
}

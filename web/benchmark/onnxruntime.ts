/** ONNX Runtime on wasm: one build, with SIMD and threads; every graph optimisation, its layout for the processor too. */
import { env, InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import loader from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import { download } from './download';
import type { TimedEngine } from './protocol';

/** Sets the thread count; the engine itself starts with its first session. */
export function start(threads: number): Promise<TimedEngine> {
  env.wasm.numThreads = threads;
  env.wasm.wasmPaths = { mjs: new URL(loader, location.href).href, wasm: new URL(wasm, location.href).href };
  return Promise.resolve({
    version: env.versions.web ?? 'unknown',
    threads,
    layout: 'nchw',
    async download(url) {
      const file = new Uint8Array(await download(url));
      return {
        bytes: file.length,
        async load(shape) {
          const session = await InferenceSession.create(file, {
            executionProviders: ['wasm'],
            graphOptimizationLevel: 'all',
          });
          const [x, d0] = [session.inputNames[0]!, session.outputNames[0]!];
          return {
            async run(input) {
              const output = await session.run({ [x]: new Tensor('float32', input, shape) });
              return (await output[d0]!.getData()) as Float32Array;
            },
          };
        },
      };
    },
  });
}

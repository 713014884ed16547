/** ONNX Runtime, for comparison. It runs the ONNX file that the other models were converted from. */
import processorLoader from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import processorBinary from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?parts';
import gpuLoader from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import gpuBinary from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?parts';
import { readParts } from '../lib/engines/litert/binary';
import type { FileRef } from '../lib/site/catalogue';
import { FileStore } from '../lib/site/file_store';
import type { TimedNetwork } from './network';

/** The two builds: the one for GPUs is larger, and slower on the processor. */
const BUILDS = {
  wasm: { loader: processorLoader, binary: processorBinary, load: () => import('onnxruntime-web/wasm') },
  webgpu: { loader: gpuLoader, binary: gpuBinary, load: () => import('onnxruntime-web/webgpu') },
} as const;

/** @returns how to open the model at a size. Its sizes are free, and each session fixes them, as if it were exported so. */
export async function startOnnxruntime(
  provider: keyof typeof BUILDS,
  threads: number,
  base: URL,
  file: FileRef,
): Promise<(resolution: number) => Promise<TimedNetwork>> {
  const { loader, binary, load } = BUILDS[provider];
  const { env, InferenceSession, Tensor } = await load();
  env.wasm.numThreads = threads;
  env.wasm.wasmBinary = await readParts(binary, () => {});
  env.wasm.wasmPaths = { mjs: new URL(loader, import.meta.url).href };
  const { contents } = await new FileStore(base).read([file]);
  const model = new Uint8Array(contents[0]!);
  return async (resolution) => {
    const session = await InferenceSession.create(model, {
      executionProviders: [provider],
      graphOptimizationLevel: 'all',
      freeDimensionOverrides: { height: resolution, width: resolution },
    });
    const [x, d0] = [session.inputNames[0]!, session.outputNames[0]!];
    return {
      layout: 'nchw',
      async run(input) {
        const output = await session.run({ [x]: new Tensor('float32', input, [1, 3, resolution, resolution]) });
        return (await output[d0]!.getData()) as Float32Array;
      },
    };
  };
}

import { startRuntime } from '../lib/engines/start';
import { textOf } from '../lib/messages';
import { FileStore } from '../lib/site/file_store';
import type { Task } from './protocol';

/** A network at one size. It ends with its worker. */
export interface TimedNetwork {
  /** How its input lies in memory. */
  readonly layout: 'nhwc' | 'nchw';
  run(input: Float32Array<ArrayBuffer>): Promise<Float32Array>;
}

/** Starts a task's engine. @returns how to open the model at a size. */
export async function startEngine(task: Task): Promise<(resolution: number) => Promise<TimedNetwork>> {
  const { backend, threads } = task;
  const base = new URL(task.base);
  if (backend === 'onnxruntime-wasm' || backend === 'onnxruntime-webgpu') {
    if (task.onnx === null) throw new Error('the site has no ONNX file of this model');
    const { startOnnxruntime } = await import('./onnxruntime');
    return startOnnxruntime(backend === 'onnxruntime-wasm' ? 'wasm' : 'webgpu', threads, base, task.onnx);
  }
  let lost: string | null = null;
  const runtime = await startRuntime(
    backend,
    threads,
    (reason) => (lost = textOf(reason)),
    () => {},
  );
  const store = new FileStore(base);
  return async (resolution) => {
    const files = await runtime.read(store, base, task.artifacts[resolution]!, () => {});
    const network = await files.load(resolution);
    await network.warmUp();
    return {
      layout: 'nhwc',
      async run(input) {
        const d0 = await network.run(input);
        if (lost !== null) throw new Error(lost);
        runtime.check();
        return d0;
      },
    };
  };
}

/** Turns [height, width, 3] into [3, height, width]. */
export function planes(input: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const pixels = input.length / 3;
  return Float32Array.from(input, (_, index) => input[3 * (index % pixels) + Math.floor(index / pixels)]!);
}

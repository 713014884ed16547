/** TensorFlow.js as the page sets it up. */
import { type GraphModel, loadGraphModel } from '@tensorflow/tfjs-converter';
import { engine, type io, memory, type Rank, Tensor, tensor4d, tidy, version_core, zeros } from '@tensorflow/tfjs-core';
import { textOf } from '../lib/messages';
import { startTfjs } from '../lib/engines/tfjs/start';
import { download } from './download';
import type { Backend, Profile, TimedEngine } from './protocol';

/** Starts a backend, with as many threads as are asked for where it is wasm. */
export async function start(backend: Backend, threads: number): Promise<TimedEngine> {
  const running = await startTfjs(backend, threads, (reason) => {
    throw new Error(textOf(reason));
  });
  return {
    version: version_core,
    threads: running.threads,
    layout: 'nhwc',
    async download(url) {
      const files = await downloadModel(url);
      return {
        bytes: files.bytes,
        async load() {
          const model = await loadGraphModel({ load: () => Promise.resolve(files.artifacts) });
          return { run: (input) => predict(model, input) };
        },
      };
    },
  };
}

async function downloadModel(url: string): Promise<{ bytes: number; artifacts: io.ModelArtifacts }> {
  const address = new URL(url, location.href);
  const graph = await download(address);
  const json = JSON.parse(new TextDecoder().decode(graph)) as io.ModelJSON;
  const shards = await Promise.all(
    json.weightsManifest.flatMap((group) => group.paths.map((path) => download(new URL(path, address)))),
  );
  const bytes = shards.reduce((sum, shard) => sum + shard.byteLength, graph.byteLength);
  const weightSpecs = json.weightsManifest.flatMap((group) => group.weights);
  const { modelTopology, signature } = json;
  return { bytes, artifacts: { modelTopology, weightSpecs, weightData: shards, ...(signature && { signature }) } };
}

/** The names of the ends are the graph's own: the by-hand route leaves those that its converters chose. */
async function predict(model: GraphModel, input: Float32Array): Promise<Float32Array> {
  const end = model.inputs[0];
  if (end?.shape === undefined) throw new Error('The graph has no input of a known shape');
  const x = tensor4d(input, end.shape as [number, number, number, number]);
  const d0 = model.predict({ [end.name]: x });
  x.dispose();
  if (!(d0 instanceof Tensor)) throw new Error('The graph has more than one output');
  try {
    return (await d0.data<'float32'>()) as Float32Array;
  } finally {
    d0.dispose();
  }
}

/**
 * Counts a graph's kernels and the most bytes its tensors hold at once. On a GPU nothing is computed: shaders are compiled
 * and memory is taken as for a frame, which is what is asked for and takes seconds instead of hours where a processor
 * emulates the GPU.
 */
export async function profile(backend: Backend, url: string): Promise<Profile> {
  const running = await startTfjs(backend, 1, (reason) => {
    throw new Error(textOf(reason));
  });
  const { artifacts } = await downloadModel(url);
  const model = await loadGraphModel({ load: () => Promise.resolve(artifacts) });
  const shape = model.inputs[0]?.shape;
  if (shape === undefined) throw new Error('The graph has no input of a known shape');
  const kernels: Record<string, number> = {};
  let peak = 0;
  const original = engine().runKernel.bind(engine());
  const counted: typeof original = (name, inputs, attributes) => {
    const output = original(name, inputs, attributes);
    kernels[name] = (kernels[name] ?? 0) + 1;
    peak = Math.max(peak, memory().numBytes);
    return output as never;
  };
  engine().runKernel = counted;
  const frame = () => tidy(() => void model.predict(zeros<Rank.R4>(shape as [number, number, number, number])));
  if (backend === 'wasm') frame();
  else await running.compile(frame);
  const held = memory() as unknown as Record<string, unknown>;
  const gpu = held['numBytesInGPUAllocated'] ?? held['numBytesAllocatedInGPU'];
  return { kernels, peak_bytes: peak, gpu_bytes: typeof gpu === 'number' ? gpu : null };
}

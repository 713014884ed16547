import { type CompiledModel, loadAndCompile, Tensor } from '@litertjs/core';
import { U2NetError } from '../../errors';
import { said } from '../../messages';
import type { Artifact } from '../../site/catalogue';
import { invalid } from '../invalid';
import type { Network, Runtime } from '../runtime';
import { readTflite } from './tflite';

export type CompileOptions = NonNullable<Parameters<typeof loadAndCompile>[1]>;

/** Tensors that were made here. LiteRT does not free them by itself. */
const tensors = new Set<Tensor>();

/**
 * The last error that LiteRT printed. If it runs out of memory, it only prints that. It throws nothing and returns
 * whatever bytes are where the output should be.
 */
let failure: string | null = null;

/** Keeps an error that LiteRT printed until the next result is asked for. */
export function complain(line: string): void {
  failure ??= line.replace(/^.*?ERROR:? */, '');
}

/** @throws U2NetError if LiteRT has printed an error since the last call. */
function refuseComplaints(): void {
  if (failure === null) return;
  const reason = failure;
  failure = null;
  throw new U2NetError('out-of-memory', said('litertFailed', reason));
}

/** How LiteRT reads a model for one accelerator. */
export function reader(options: CompileOptions): Runtime['read'] {
  return async (store, base, artifact, onProgress) => {
    const { model, fetched } = await readTflite(store, base, artifact, onProgress);
    return { fetched, load: (resolution) => load(model, options, artifact, resolution) };
  };
}

async function load(
  file: Uint8Array<ArrayBuffer>,
  options: CompileOptions,
  artifact: Artifact,
  resolution: number,
): Promise<Network> {
  const model = await loadAndCompile(file, options);
  refuseComplaints();
  const shape = model.getInputDetails()[0]?.shape.join('×');
  if (shape !== `1×${resolution}×${resolution}×3`) {
    model.delete();
    throw invalid(artifact, `its input is ${shape ?? 'missing'}`);
  }
  // If a GPU cannot run the whole model, LiteRT uses WebAssembly instead and only warns.
  if (options.accelerator === 'webgpu' && !(model.options.accelerator === 'webgpu' && model.isFullyAccelerated)) {
    model.delete();
    throw new U2NetError('backend-unavailable', said('litertInPart'));
  }
  return new LitertNetwork(model, resolution);
}

class LitertNetwork implements Network {
  readonly #model: CompiledModel;
  readonly #resolution: number;

  constructor(model: CompiledModel, resolution: number) {
    this.#model = model;
    this.#resolution = resolution;
  }

  /** LiteRT compiles when it loads. */
  warmUp(): Promise<void> {
    return Promise.resolve();
  }

  async run(input: Float32Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>> {
    const x = track(new Tensor(input, [1, this.#resolution, this.#resolution, 3]));
    try {
      const outputs = (await this.#model.run(x)).map(track);
      try {
        refuseComplaints();
        const [d0, ...others] = outputs;
        if (d0 === undefined || others.length > 0) throw new Error(`The model has ${outputs.length} outputs, not one`);
        return new Float32Array(await d0.data());
      } finally {
        for (const output of outputs) output.delete();
      }
    } finally {
      x.delete();
    }
  }

  dispose(): void {
    this.#model.delete();
  }
}

function track(tensor: Tensor): Tensor {
  tensors.add(tensor);
  return tensor;
}

/** Tensors that were made and not yet freed. */
export function countTensors(): number {
  for (const tensor of tensors) if (tensor.deleted) tensors.delete(tensor);
  return tensors.size;
}

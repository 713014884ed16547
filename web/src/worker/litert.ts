import { type CompiledModel, getWebGpuDevice, loadAndCompile, loadLiteRt, Tensor } from '@litertjs/core';
import compatWasm from '@litertjs/core/wasm/litert_wasm_compat_internal.wasm?url';
import plainWasm from '@litertjs/core/wasm/litert_wasm_internal.wasm?url';
import threadedScript from '@litertjs/core/wasm/litert_wasm_threaded_internal.js?url';
import threadedWasm from '@litertjs/core/wasm/litert_wasm_threaded_internal.wasm?url';
import type { Artifact } from '../catalogue';
import { PageError } from '../errors';
import type { Engine, Network } from './engine';
import { invalid } from './invalid';
import { forgetBinary, keepBinary, readBinary } from './litert_binary';
import { readTflite } from './tflite';

/** Which of LiteRT's WebAssembly builds runs here: threads need relaxed SIMD. */
export type Build = 'threaded' | 'plain' | 'compat';

/** Each build's script, as a module, and the address of its binary. */
const BUILDS = {
  threaded: { script: () => import('@litertjs/core/wasm/litert_wasm_threaded_internal.js'), wasm: threadedWasm },
  plain: { script: () => import('@litertjs/core/wasm/litert_wasm_internal.js'), wasm: plainWasm },
  compat: { script: () => import('@litertjs/core/wasm/litert_wasm_compat_internal.js'), wasm: compatWasm },
} as const;

/** What LiteRT's loader looks for: {@link loadLiteRt} leaves neither behind. */
interface LoaderGlobals {
  ModuleFactory: unknown;
  Module: object;
  importScripts: (address: string) => void;
}

/** Tensors that were made here. LiteRT frees none by itself. */
const tensors = new Set<Tensor>();

/**
 * What LiteRT last complained of. Out of memory it prints that, throws nothing and gives whatever lies where the output
 * should be.
 */
let failure: string | null = null;

/** @throws PageError if LiteRT complained since the last call. */
function refuseComplaints(): void {
  if (failure === null) return;
  const reason = failure;
  failure = null;
  throw new PageError(
    'out-of-memory',
    `LiteRT cannot compute this here (${reason}). Choose a smaller resolution, or TensorFlow.js as the backend.`,
  );
}

/** Sets LiteRT up on the processor, once in a worker's life. @param threads 1 unless the build is the threaded one. */
export async function setUpLitertWasm(build: Build, threads: number): Promise<Engine> {
  await start(build, threads);
  return {
    name: 'litert-wasm',
    threads,
    read: reader({ accelerator: 'wasm', cpuOptions: { numThreads: threads } }),
    tensors: countTensors,
    check: () => {},
    loseContext: () => {},
  };
}

/** Sets LiteRT up on the GPU. @param onLost called once if the GPU is lost or reports an error. */
export async function setUpLitertWebgpu(build: Build, onLost: (reason: string) => void): Promise<Engine> {
  await start(build, 1);
  const device = getWebGpuDevice();
  if (device === null) throw new Error('LiteRT found no GPU');
  let failure: string | null = null;
  const lose = (reason: string) => {
    failure ??= reason;
    onLost(failure);
  };
  void device.lost.then((info) => lose(info.message || info.reason));
  device.addEventListener('uncapturederror', (event) => lose(event.error.message));
  return {
    name: 'litert-webgpu',
    threads: 1,
    read: reader({ accelerator: 'webgpu', gpuOptions: { precision: 'fp32' } }),
    tensors: countTensors,
    check() {
      if (failure !== null) throw new PageError('context-lost', failure);
    },
    loseContext: () => device.destroy(),
  };
}

type CompileOptions = NonNullable<Parameters<typeof loadAndCompile>[1]>;

/** LiteRT loads its script with importScripts, which modules lack: so the script, imported, is there already. */
async function start(build: Build, threads: number): Promise<void> {
  const { script, wasm } = BUILDS[build];
  const address = new URL(wasm, import.meta.url);
  const [{ default: factory }, binary] = await Promise.all([script(), readBinary(address)]);
  // The pool starts as many workers as the browser tells it of logical processors.
  Object.defineProperty(navigator, 'hardwareConcurrency', { value: threads, configurable: true });
  const globals = globalThis as unknown as LoaderGlobals;
  globals.ModuleFactory = factory;
  globals.Module = {
    wasmBinary: binary,
    mainScriptUrlOrBlob: new URL(threadedScript, import.meta.url).href,
    print: (line: string) => console.debug(line),
    printErr: (line: string) => {
      if (/^(INFO|WARNING):/.test(line)) return console.debug(line);
      failure ??= line.replace(/^.*?ERROR:? */, '');
      console.error(line);
    },
  };
  globals.importScripts = () => {};
  try {
    await loadLiteRt('litert.js');
  } catch (cause) {
    await forgetBinary(address);
    throw cause;
  }
  await keepBinary(address, binary);
}

function reader(options: CompileOptions): Engine['read'] {
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
  // Where a GPU cannot take all of a model, LiteRT goes on with WebAssembly and only warns.
  if (options.accelerator === 'webgpu' && !(model.options.accelerator === 'webgpu' && model.isFullyAccelerated)) {
    model.delete();
    throw new PageError('backend-unavailable', 'LiteRT cannot run all of this model on this GPU');
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

function countTensors(): number {
  for (const tensor of tensors) if (tensor.deleted) tensors.delete(tensor);
  return tensors.size;
}

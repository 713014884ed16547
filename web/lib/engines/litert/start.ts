import { getWebGpuDevice, loadLiteRt } from '@litertjs/core';
import threadedScript from '@litertjs/core/wasm/litert_wasm_threaded_internal.js?url';
import { Reason, U2NetError } from '../../errors';
import { type Said, said } from '../../messages';
import type { Received } from '../../site/file_store';
import type { Runtime } from '../runtime';
import { readBinary } from './binary';
import { complain, countTensors, reader } from './network';
import type { Build } from './probe';

/** Each build's script, as a module. */
const BUILDS = {
  threaded: () => import('@litertjs/core/wasm/litert_wasm_threaded_internal.js'),
  plain: () => import('@litertjs/core/wasm/litert_wasm_internal.js'),
  compat: () => import('@litertjs/core/wasm/litert_wasm_compat_internal.js'),
} as const;

/** The globals that LiteRT's loader looks for. {@link loadLiteRt} leaves neither behind. */
interface LoaderGlobals {
  ModuleFactory: unknown;
  Module: object;
  importScripts: (address: string) => void;
}

/** Sets LiteRT up on the processor, once in a worker's life. @param threads 1 unless the build is the threaded one. */
export async function startLitertWasm(
  build: Build,
  threads: number,
  onProgress: (progress: Received) => void,
): Promise<Runtime> {
  await start(build, threads, onProgress);
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
export async function startLitertWebgpu(
  build: Build,
  onLost: (reason: Said) => void,
  onProgress: (progress: Received) => void,
): Promise<Runtime> {
  await start(build, 1, onProgress);
  const device = getWebGpuDevice();
  if (device === null) throw new Error('LiteRT found no GPU');
  let failure: Said | null = null;
  const lose = (reason: string) => {
    failure ??= said('verbatim', reason);
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
      if (failure !== null) throw new U2NetError('context-lost', failure);
    },
    loseContext: () => device.destroy(),
  };
}

/** What LiteRT's threads start from: the script's address, or its text if the script is from another origin than the page. */
async function threadScript(): Promise<string | Blob> {
  const address = new URL(threadedScript, import.meta.url);
  if (address.origin === globalThis.origin) return address.href;
  const response = await fetch(address);
  if (!response.ok) throw new Reason(said('serverAnswered', response.status));
  return response.blob();
}

/** LiteRT loads its script with importScripts, which does not exist in modules. So the script is imported before. */
async function start(build: Build, threads: number, onProgress: (progress: Received) => void): Promise<void> {
  const [{ default: factory }, binary] = await Promise.all([BUILDS[build](), readBinary(build, onProgress)]);
  // The pool starts one worker per logical processor that the browser reports.
  Object.defineProperty(navigator, 'hardwareConcurrency', { value: threads, configurable: true });
  const globals = globalThis as unknown as LoaderGlobals;
  globals.ModuleFactory = factory;
  globals.Module = {
    wasmBinary: binary,
    // With one thread, too, the threaded build starts a worker.
    mainScriptUrlOrBlob: build === 'threaded' ? await threadScript() : undefined,
    print: (line: string) => console.debug(line),
    printErr: (line: string) => {
      if (/^(INFO|WARNING):/.test(line)) return console.debug(line);
      complain(line);
      console.error(line);
    },
  };
  globals.importScripts = () => {};
  await loadLiteRt('litert.js');
}

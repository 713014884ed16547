import type { BackendReport } from './backends';
import { litertDownload, tfjsDownload } from './download';
import { probeLitertWasm } from './litert/probe';
import { probeWasm, probeWebgl } from './tfjs/probe';
import { probeWebgpu } from './webgpu';

/** Finds out what each backend is on this machine, without setting it up. */
export async function probe(): Promise<BackendReport[]> {
  const [litert, tfjs] = await Promise.all([litertDownload(), tfjsDownload()]);
  return Promise.all([
    probeWebgpu('webgpu', tfjs.webgpu),
    probeWebgl(tfjs.webgl),
    probeWasm(tfjs.wasm),
    probeWebgpu('litert-webgpu', litert),
    probeLitertWasm(litert),
  ]);
}

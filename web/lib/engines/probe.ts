import type { BackendReport } from './backends';
import { probeLitertWasm } from './litert/probe';
import { probeWasm, probeWebgl } from './tfjs/probe';
import { probeWebgpu } from './webgpu';

/** Finds out what each backend is on this machine, without setting it up. */
export function probe(): Promise<BackendReport[]> {
  return Promise.all([
    probeWebgpu('webgpu'),
    probeWebgl(),
    probeWasm(),
    probeWebgpu('litert-webgpu'),
    probeLitertWasm(),
  ]);
}

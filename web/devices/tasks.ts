import type { BackendName, BackendReport } from '../lib/engines/backends';
import { type Artifact, artifactsOf, type EngineName, type ModelEntry } from '../lib/site/catalogue';
import type { Task } from './protocol';
import type { TimedBackend } from './report';

/** Each engine, the backend whose device it computes on, and whose models it runs. ONNX Runtime has its own. */
const PLAN: readonly (readonly [TimedBackend, BackendName, EngineName | null])[] = [
  ['webgpu', 'webgpu', 'tfjs'],
  ['webgl', 'webgl', 'tfjs'],
  ['litert-webgpu', 'litert-webgpu', 'litert'],
  ['onnxruntime-webgpu', 'webgpu', null],
  ['wasm', 'wasm', 'tfjs'],
  ['litert-wasm', 'litert-wasm', 'litert'],
  ['onnxruntime-wasm', 'wasm', null],
];

/**
 * Every engine that this browser has and this site has a model for. WebAssembly is timed with one thread, too.
 *
 * @param base the address of the catalogue.
 */
export function tasksFor(
  model: ModelEntry,
  sizes: readonly number[],
  backends: readonly BackendReport[],
  base: URL,
): Task[] {
  return PLAN.flatMap(([backend, on, engine]) => {
    const report = backends.find(({ name, unavailable }) => name === on && unavailable === null);
    const artifacts = engine === null ? {} : bySize(model, engine);
    const { onnx, probe } = model;
    // An engine is compared at the probe's size, so it needs the model at that size.
    if (report === undefined || (engine === null ? onnx === null : !(probe.resolution in artifacts))) return [];
    const counts = report.threads > 1 ? [report.threads, 1] : [1];
    return counts.map((threads) => ({
      backend,
      threads,
      device: report.device,
      emulated: report.software,
      base: base.href,
      probe,
      artifacts,
      onnx,
      sizes: engine === null ? sizes : sizes.filter((size) => size in artifacts),
    }));
  });
}

function bySize({ resolutions }: ModelEntry, engine: EngineName): Record<number, Artifact> {
  return Object.fromEntries(
    resolutions.flatMap((size) => {
      const artifact = artifactsOf(size, engine).find(({ dtype }) => dtype === 'float32');
      return artifact === undefined ? [] : [[size.side, artifact]];
    }),
  );
}

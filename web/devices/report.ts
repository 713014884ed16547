import type { BackendName } from '../lib/engines/backends';

/** What is timed: the page's own backends, and ONNX Runtime on two of its own for comparison. */
export const ENGINES_TIMED = {
  webgpu: 'TensorFlow.js, WebGPU',
  webgl: 'TensorFlow.js, WebGL',
  wasm: 'TensorFlow.js, WebAssembly',
  'litert-webgpu': 'LiteRT.js, WebGPU',
  'litert-wasm': 'LiteRT.js, WebAssembly',
  'onnxruntime-webgpu': 'ONNX Runtime, WebGPU',
  'onnxruntime-wasm': 'ONNX Runtime, WebAssembly',
} as const satisfies Record<BackendName | 'onnxruntime-webgpu' | 'onnxruntime-wasm', string>;
export type TimedBackend = keyof typeof ENGINES_TIMED;

/** One engine at one size. Times are in milliseconds. */
export interface Row {
  readonly backend: TimedBackend;
  /** Threads that compute; 1 for a GPU. */
  readonly threads: number;
  /** The GPU's own description, or "processor". */
  readonly device: string;
  readonly resolution: number;
  /** The farthest that any value of d0 was from PyTorch's on the probe; null if it was not compared or gave no numbers. */
  readonly max_abs: number | null;
  /** Every frame's time in its order. It is empty if the engine was not timed. */
  readonly frames_ms: readonly number[];
  /** Why the engine was not timed, or null. */
  readonly problem: string | null;
}

/** What the page saves, and what `snakemake tabulate_devices` reads. */
export interface Report {
  readonly version: 1;
  /** The name that the person gave the device. */
  readonly device: string;
  readonly user_agent: string;
  /** As the browser reports them. Browsers round both. */
  readonly logical_processors: number;
  readonly memory_gb: number | null;
  /** Threads need a page that is cross-origin isolated. */
  readonly isolated: boolean;
  readonly date: string;
  readonly model: string;
  /** The digest of the model's ONNX file, which says what weights were timed; null if the site has no such file. */
  readonly onnx_sha256: string | null;
  readonly rows: readonly Row[];
}

/** The median and the two quartiles of times, each one of the times or the mean of two. */
export function spread(times: readonly number[]): { median: number; low: number; high: number } {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): number => {
    const place = share * (sorted.length - 1);
    const below = sorted[Math.floor(place)]!;
    return below + (sorted[Math.ceil(place)]! - below) * (place % 1);
  };
  return { median: at(0.5), low: at(0.25), high: at(0.75) };
}

import type { BackendName, BackendReport } from './backends';

/** A backend that computes in WebAssembly. */
export function processor(name: BackendName, threaded: boolean, download: number): BackendReport {
  return {
    name,
    unavailable: null,
    device: 'processor',
    software: false,
    threads: threaded ? usefulThreads(navigator.hardwareConcurrency) : 1,
    maxTensorBytes: Infinity,
    download,
  };
}

/**
 * The number of threads that helps. Logical processors come in pairs that share one core's arithmetic, so half of them
 * do the work. If there are only a few, all of them are used. TensorFlow.js always starts eight workers.
 */
function usefulThreads(logicalProcessors: number): number {
  return Math.max(
    1,
    Math.min(8, logicalProcessors <= 4 ? logicalProcessors : Math.max(4, Math.floor(logicalProcessors / 2))),
  );
}

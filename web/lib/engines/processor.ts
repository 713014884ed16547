import type { BackendName, BackendReport } from './backends';

/** A backend that computes in WebAssembly. */
export function processor(name: BackendName, threaded: boolean): BackendReport {
  return {
    name,
    unavailable: null,
    device: 'processor',
    software: false,
    threads: threaded ? usefulThreads(navigator.hardwareConcurrency) : 1,
    maxTensorBytes: Infinity,
  };
}

/**
 * As many threads as help. Logical processors come in pairs that share one core's arithmetic, so half of them do the
 * work; where there are few, every one counts. TensorFlow.js starts eight workers, however many are asked for.
 */
function usefulThreads(logicalProcessors: number): number {
  return Math.max(
    1,
    Math.min(8, logicalProcessors <= 4 ? logicalProcessors : Math.max(4, Math.floor(logicalProcessors / 2))),
  );
}

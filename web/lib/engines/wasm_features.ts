/**
 * What WebAssembly can do here, by small modules that need it: those with which the engines find out. The engines
 * themselves are too large for a visit that does not use them.
 */
const RELAXED_SIMD = module([
  1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11,
]);
const SIMD = module([1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11]);
const THREADS = module([
  1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 4, 1, 3, 1, 1, 10, 11, 1, 9, 0, 65, 0, 254, 16, 2, 0, 26, 11,
]);

export function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(RELAXED_SIMD);
}

export function hasSimd(): boolean {
  return WebAssembly.validate(SIMD);
}

/** Threads share memory, which only an isolated page may do. */
export function hasThreads(): boolean {
  return WebAssembly.validate(THREADS) && crossOriginIsolated;
}

/** A module of these sections, behind the header that all have. */
function module(sections: readonly number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, ...sections]);
}

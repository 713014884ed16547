import type { Said } from '../messages';
import type { EngineName } from '../site/catalogue';

/** Where a network can compute: the backends of TensorFlow.js and those of LiteRT, whose names begin with it. */
export const BACKENDS = ['webgpu', 'webgl', 'wasm', 'litert-webgpu', 'litert-wasm'] as const;
export type BackendName = (typeof BACKENDS)[number];

/** The engine that a backend belongs to. */
export function engineOf(name: BackendName): EngineName {
  return name.startsWith('litert-') ? 'litert' : 'tfjs';
}

/** Whether a backend computes on the processor, in WebAssembly, rather than on a GPU. */
export function onProcessor(name: BackendName): boolean {
  return name === 'wasm' || name === 'litert-wasm';
}

/** What a backend is on this machine. */
export interface BackendReport {
  readonly name: BackendName;
  /** Why it cannot be used, or null if it can. */
  readonly unavailable: Said | null;
  /** The renderer's or the processor's own description. */
  readonly device: string;
  /** The processor emulates this GPU: its results are right, but it is slower than wasm. */
  readonly software: boolean;
  /** Threads that compute; 1 for a GPU. */
  readonly threads: number;
  /** The largest buffer or texture that one tensor may take, in bytes of float32. */
  readonly maxTensorBytes: number;
  /** Bytes of the engine itself that are still to be downloaded for it. */
  readonly download: number;
}

/** Names under which processors emulate a GPU: Chromium's, Mesa's, Windows' and Apple's. */
export const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|software/i;

/** A backend that cannot be used here, and why. */
export function unavailable(name: BackendName, reason: Said): BackendReport {
  return { name, unavailable: reason, device: '', software: false, threads: 1, maxTensorBytes: 0, download: 0 };
}

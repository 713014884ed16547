import { missingBytes } from './litert/binary';
import { litertBuild } from './litert/probe';

/** Bytes of TensorFlow.js's files for each backend, its core included. A journey in Chromium measures them. */
const TFJS_BYTES = { webgpu: 1_160_000, webgl: 1_220_000, wasm: 1_320_000 } as const;
/** Bytes of LiteRT's scripts, besides its binary. */
const LITERT_SCRIPTS = 250_000;

/** The bytes of LiteRT that are still to be downloaded here. */
export async function litertDownload(): Promise<number> {
  if (typeof WebAssembly === 'undefined') return 0;
  const missing = await missingBytes(litertBuild());
  return missing === 0 ? 0 : missing + LITERT_SCRIPTS;
}

/** The same for each backend of TensorFlow.js: nothing once the page is kept for offline use. */
export async function tfjsDownload(): Promise<Record<keyof typeof TFJS_BYTES, number>> {
  const names = await caches.keys().catch(() => []);
  return names.some((name) => name.startsWith('shell ')) ? { webgpu: 0, webgl: 0, wasm: 0 } : TFJS_BYTES;
}

/**
 * LiteRT's WebAssembly: nine megabytes, shipped gzipped, in parts that the browser keeps one by one. So a download that
 * was cut off goes on where it stopped. It is fetched when LiteRT is first used.
 */
import compat from '@litertjs/core/wasm/litert_wasm_compat_internal.wasm?parts';
import plain from '@litertjs/core/wasm/litert_wasm_internal.wasm?parts';
import threaded from '@litertjs/core/wasm/litert_wasm_threaded_internal.wasm?parts';
import type { FileRef } from '../../site/catalogue';
import { FileStore, type Received } from '../../site/file_store';
import type { Build } from './probe';

const BINARIES = { threaded, plain, compat } as const;
/** Where the parts lie, whatever page uses them. */
const store = new FileStore(new URL(import.meta.url));

/** A binary that the build has cut into parts (see build/binary_parts.ts). */
export interface Binary {
  readonly parts: readonly FileRef[];
  readonly gzipped: boolean;
}

/**
 * A binary, from the cache or else over the network.
 *
 * @throws U2NetError as {@link FileStore.read} does.
 */
export async function readParts({ parts, gzipped }: Binary, onProgress: (progress: Received) => void): Promise<ArrayBuffer> {
  const { contents } = await store.read(parts, onProgress);
  const joined = new Blob(contents).stream();
  return new Response(gzipped ? joined.pipeThrough(new DecompressionStream('gzip')) : joined).arrayBuffer();
}

/** The binary of one of LiteRT's builds. */
export async function readBinary(build: Build, onProgress: (progress: Received) => void): Promise<ArrayBuffer> {
  const binary = await readParts(BINARIES[build], onProgress);
  // Those of an earlier release have no use any more.
  await store.keepOnly(BINARIES[build].parts);
  return binary;
}

/** How many bytes of a build's binary are not here yet. */
export function missingBytes(build: Build): Promise<number> {
  return store.missingBytes(BINARIES[build].parts as readonly FileRef[]);
}

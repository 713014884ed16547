import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

/** As large as the shards of weights (SHARD_BYTES in workflow_scripts/website/share_weights.py), for the same reasons. */
const PART_BYTES = 512 * 1024;
const QUERY = '?parts';

/**
 * Makes `import binary from 'file.wasm?parts'` a gzipped copy of the file, cut into parts, with the digest of each. The
 * page then needs no server that compresses, and a download goes on where it stopped.
 */
export function binaryParts(): Plugin {
  let building = false;
  return {
    name: 'binary-parts',
    enforce: 'pre',
    configResolved({ command }) {
      building = command === 'build';
    },
    async load(id) {
      if (!id.endsWith(QUERY)) return null;
      const file = id.slice(0, -QUERY.length);
      const content = await readFile(file);
      // The server of `vite dev` has no files but those on disk.
      if (!building) return moduleOf([{ url: JSON.stringify(`/@fs${file}`), ...described(content) }], false);
      const stem = file.split('/').at(-1)!.replace('.wasm', '');
      const packed = gzipSync(content, { level: 9 });
      const parts = [];
      for (let start = 0; start < packed.length; start += PART_BYTES) {
        const part = packed.subarray(start, start + PART_BYTES);
        const emitted = this.emitFile({ type: 'asset', name: `${stem}.${parts.length}.bin`, source: part });
        parts.push({ url: `import.meta.ROLLUP_FILE_URL_${emitted}`, ...described(part) });
      }
      return moduleOf(parts, true);
    },
  };
}

function described(content: Buffer): { sha256: string; bytes: number } {
  return { sha256: createHash('sha256').update(content).digest('hex'), bytes: content.length };
}

function moduleOf(parts: readonly { url: string; sha256: string; bytes: number }[], gzipped: boolean): string {
  const listed = parts.map(({ url, sha256, bytes }) => `{ url: ${url}, sha256: '${sha256}', bytes: ${bytes} }`);
  return `export default { gzipped: ${gzipped}, parts: [${listed.join(', ')}] };`;
}

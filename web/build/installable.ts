import { readFile } from 'node:fs/promises';
import type { Plugin } from 'vite';

const FOLDER = new URL('../src/install/', import.meta.url);
const ICONS = [
  { file: 'icon-192.png', sizes: '192x192', purpose: 'any' },
  { file: 'icon-512.png', sizes: '512x512', purpose: 'any' },
  { file: 'maskable-512.png', sizes: '512x512', purpose: 'maskable' },
];
const LINK = '<link rel="icon"';

/**
 * Makes the page installable: writes the web app manifest, which names its icons by their digests, and leads to both
 * from index.html. The manifest lies in assets/, so its addresses go up to the page's folder.
 */
export function installable(): Plugin {
  return {
    name: 'installable',
    apply: 'build',
    enforce: 'post',
    async generateBundle(_options, bundle) {
      const page = bundle['index.html'];
      if (page?.type !== 'asset' || !String(page.source).includes(LINK)) throw new Error('index.html was not built');
      const icons = [];
      for (const { file, ...about } of ICONS) {
        const name = this.emitFile({ type: 'asset', name: file, source: await readFile(new URL(file, FOLDER)) });
        icons.push({ src: this.getFileName(name).replace('assets/', ''), type: 'image/png', ...about });
      }
      const said = JSON.parse(await readFile(new URL('manifest.json', FOLDER), 'utf8')) as object;
      const manifest = JSON.stringify({ ...said, start_url: '../', scope: '../', icons });
      const written = this.emitFile({ type: 'asset', name: 'manifest.webmanifest', source: manifest });
      const links =
        `<link rel="manifest" href="./${this.getFileName(written)}" />` +
        `<link rel="apple-touch-icon" href="./assets/${icons[0]!.src}" />`;
      page.source = String(page.source).replace(LINK, `${links}\n    ${LINK}`);
    },
  };
}

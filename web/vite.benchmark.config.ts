import { defineConfig } from 'vite';
import { selfContainedThreads } from './vite.config.ts';

/** The page that `snakemake benchmark` uses. It is not part of the site. */
export default defineConfig({
  root: 'benchmark',
  base: './',
  publicDir: false,
  worker: { format: 'es', plugins: () => [selfContainedThreads()] },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200,
  },
});

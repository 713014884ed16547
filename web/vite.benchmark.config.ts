import { defineConfig } from 'vite';
import { selfContainedThreads } from './vite.config.ts';

/** The page that `snakemake benchmark` drives; it is no part of the site. */
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

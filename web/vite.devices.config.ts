import { defineConfig } from 'vite';
import { workerPlugins } from './vite.config.ts';

/** Builds the page that times the engines of a device, beside the page that draws, whose engines it shares. */
export default defineConfig({
  base: './',
  publicDir: false,
  // Then ONNX Runtime's binary is not packed into its script.
  resolve: { conditions: ['onnxruntime-web-use-extern-wasm', 'module', 'browser', 'production'] },
  worker: { format: 'es', plugins: workerPlugins },
  build: {
    target: 'es2022',
    emptyOutDir: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
    rollupOptions: { input: 'devices.html' },
  },
});

import { defineConfig, type Plugin } from 'vite';

/**
 * The page's own security headers; threads in wasm need them, so every server that offers the page should send them
 * too.
 */
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig(({ command }) => ({
  // Relative addresses: the folder works below any path.
  base: './',
  // While developing, the catalogue and the models are those of the site that the workflow built.
  publicDir: command === 'serve' ? '../results/site' : false,
  server: { headers },
  worker: { format: 'es', plugins: () => [selfContainedThreads(), importableLitert()] },
  plugins: [listShell()],

  build: {
    target: 'es2022',
    // Every asset a file: the content security policy allows no data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // TensorFlow.js' GPU backends are that large; each is a file that only the worker that uses it loads.
    chunkSizeWarningLimit: 1200,
    rollupOptions: {
      input: { index: 'index.html', service_worker: 'src/service_worker.ts' },
      output: {
        // The service worker has to lie beside the page and keep its name.
        entryFileNames: (chunk) => (chunk.name === 'service_worker' ? '[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
}));

/** Writes into the service worker which files make up the page, so that it can keep them for offline use. */
function listShell(): Plugin {
  return {
    name: 'list-shell',
    apply: 'build',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const worker = bundle['service_worker.js'];
      if (worker?.type !== 'chunk') throw new Error('The service worker was not built');
      const left = [worker.fileName, 'index.html'];
      // LiteRT's binaries are large, and kept when they are used: see litert_binary.ts.
      const shell = Object.keys(bundle).filter((name) => !left.includes(name) && !/litert_\w+-.*\.wasm$/.test(name));
      worker.code = worker.code.replace('__SHELL__', JSON.stringify(shell.sort()));
    },
  };
}

/**
 * TensorFlow.js starts its wasm threads from the source text of a function. That text has to stand alone, but refers to
 * a variable outside of it, guarded by a `typeof` that minifying removes: so the function gets the variable, undefined,
 * as its own.
 */
export function selfContainedThreads(): Plugin {
  const opening = 'function(WasmBackendModuleThreadedSimd) {';
  return {
    name: 'self-contained-threads',
    transform(code, id) {
      if (!id.endsWith('tfjs-backend-wasm-threaded-simd.js')) return null;
      if (!code.includes(opening)) throw new Error('The threads of TensorFlow.js are built otherwise than expected');
      return { code: code.replace(opening, `${opening} var _scriptDir;`), map: null };
    },
  };
}

/** LiteRT's scripts leave a variable behind, for whoever includes them; a module has to export it. */
function importableLitert(): Plugin {
  return {
    name: 'importable-litert',
    transform(code, id) {
      if (!/litert_wasm_\w*internal\.js$/.test(id)) return null;
      if (!code.includes('var ModuleFactory =')) throw new Error('LiteRT is built otherwise than expected');
      return { code: `${code}\nexport default ModuleFactory;`, map: null };
    },
  };
}

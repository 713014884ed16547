import { readFile } from 'node:fs/promises';
import { defineConfig, minify, type Plugin } from 'vite';
import { binaryParts } from './build/binary_parts.ts';
import { installable } from './build/installable.ts';

/**
 * The page's security headers. Threads in wasm need them, so every server of the page should send them too.
 */
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig(({ command }) => ({
  // Use relative addresses, so that the folder works below any path.
  base: './',
  assetsInclude: ['**/*.tflite'],
  // During development, catalogue and models come from the site that the workflow built.
  publicDir: command === 'serve' ? '../results/site' : false,
  server: { headers },
  worker: { format: 'es', plugins: workerPlugins },
  plugins: [installable(), listShell()],

  build: {
    target: 'es2022',
    // Write every asset as a file, because the content security policy allows no data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The GPU backends of TensorFlow.js are that large. Each is a separate file that only its own worker loads.
    chunkSizeWarningLimit: 1200,
    rollupOptions: {
      input: { index: 'index.html', service_worker: 'src/service_worker.ts' },
      output: {
        // The service worker must be beside the page and keep its name.
        entryFileNames: (chunk) => (chunk.name === 'service_worker' ? '[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
}));

/** What the engines' scripts need to become modules of a worker. */
export function workerPlugins(): Plugin[] {
  return [selfContainedThreads(), importableLitert(), smallThreadScript(), binaryParts()];
}

/** Writes the list of the page's files into the service worker, so that it can keep them for offline use. */
function listShell(): Plugin {
  return {
    name: 'list-shell',
    apply: 'build',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const worker = bundle['service_worker.js'];
      if (worker?.type !== 'chunk') throw new Error('The service worker was not built');
      const left = [worker.fileName, 'index.html'];
      // What only some visitors use is kept once it is used: LiteRT's parts (lib/engines/litert/binary.ts), the face detector
      // (lib/faces/find_faces.ts), and what reads and writes videos. The preview (.jpg) is for
      // other sites that lead to this one.
      const offered = Object.keys(bundle).filter((name) => !left.includes(name) && !/\.(bin|tflite|jpg)$/.test(name));
      const isRare = (name: string) => /^assets\/video-[\w-]+\.js$/.test(name);
      const list = (names: string[]) => JSON.stringify(names.sort());
      worker.code = worker.code
        .replace('__SHELL__', list(offered.filter((name) => !isRare(name))))
        .replace('__RARE__', list(offered.filter(isRare)));
    },
  };
}

/**
 * TensorFlow.js starts its wasm threads from the source text of a function. That text must work alone, but it refers to
 * a variable outside of it. A `typeof` guards that, but minifying removes it. So the function gets the variable as its
 * own, undefined.
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

/** LiteRT's scripts set a global variable for the page that includes them. A module must export it instead. */
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

/** Minifies the script from which LiteRT's threads start. It is a file of its own, so bundling does not reach it. */
function smallThreadScript(): Plugin {
  const query = '?url';
  return {
    name: 'small-thread-script',
    apply: 'build',
    enforce: 'pre',
    async load(id) {
      if (!id.endsWith(`litert_wasm_threaded_internal.js${query}`)) return null;
      const script = await readFile(id.slice(0, -query.length), 'utf8');
      // Keep the script's own names. They are global, and its threads are started by one of them.
      const { code, errors } = await minify(id, script, { module: false, mangle: { toplevel: false } });
      if (errors.length > 0) throw new Error(`LiteRT's script cannot be made smaller: ${errors[0]!.message}`);
      const file = this.emitFile({ type: 'asset', name: 'litert_wasm_threaded_internal.js', source: code });
      return `export default import.meta.ROLLUP_FILE_URL_${file};`;
    },
  };
}

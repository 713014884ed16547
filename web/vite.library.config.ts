import { defineConfig, type Plugin } from 'vite';

/** Builds the library that other pages import, and the element. A site has both at lib/. */
export default defineConfig({
  publicDir: false,
  plugins: [importLibrary()],
  build: {
    target: 'es2022',
    lib: { entry: { u2net: 'lib/u2net.ts', 'u2net-portrait': 'lib/element.ts' }, formats: ['es'] },
    rollupOptions: { output: { entryFileNames: '[name].js', minify: true } },
  },
});

/** Makes the element import the library's file beside it, so that each is one file with a fixed name. */
function importLibrary(): Plugin {
  return {
    name: 'import-library',
    enforce: 'pre',
    resolveId: (source) => (source === './u2net' ? { id: './u2net.js', external: true } : null),
  };
}

import { defineConfig, type Plugin } from 'vite';

/** The library that other pages import, and the element made of it; a site has both at lib/. */
export default defineConfig({
  publicDir: false,
  plugins: [importLibrary()],
  build: {
    target: 'es2022',
    lib: { entry: { u2net: 'lib/u2net.ts', 'u2net-portrait': 'lib/element.ts' }, formats: ['es'] },
    rollupOptions: { output: { entryFileNames: '[name].js', minify: true } },
  },
});

/** Has the element import the library's file, which lies beside it: one file each, under names that stay. */
function importLibrary(): Plugin {
  return {
    name: 'import-library',
    enforce: 'pre',
    resolveId: (source) => (source === './u2net' ? { id: './u2net.js', external: true } : null),
  };
}

/** LiteRT's WebAssembly builds: Emscripten's scripts, which the build turns into modules (see vite.config.ts). */
declare module '@litertjs/core/wasm/*.js' {
  const factory: (module: object) => Promise<unknown>;
  export default factory;
}

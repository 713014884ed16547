/** LiteRT's WebAssembly builds: Emscripten's scripts, made modules by the build (see vite.config.ts). */
declare module '@litertjs/core/wasm/*.js' {
  const factory: (module: object) => Promise<unknown>;
  export default factory;
}

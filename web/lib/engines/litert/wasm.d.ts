/** LiteRT's WebAssembly builds: Emscripten's scripts, which the build turns into modules (see vite.config.ts). */
declare module '@litertjs/core/wasm/*.js' {
  const factory: (module: object) => Promise<unknown>;
  export default factory;
}

/** The binaries, cut into parts by the build (see build/binary_parts.ts). */
declare module '*.wasm?parts' {
  const binary: {
    readonly parts: readonly { readonly url: string; readonly sha256: string; readonly bytes: number }[];
    readonly gzipped: boolean;
  };
  export default binary;
}

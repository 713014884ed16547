/** LiteRT.js on wasm: XNNPACK with relaxed SIMD. */
import { loadAndCompile, loadLiteRt, Tensor } from '@litertjs/core';
import { version } from '@litertjs/core/package.json';
import plainScript from '@litertjs/core/wasm/litert_wasm_internal.js?url';
import plainWasm from '@litertjs/core/wasm/litert_wasm_internal.wasm?url';
import threadedScript from '@litertjs/core/wasm/litert_wasm_threaded_internal.js?url';
import threadedWasm from '@litertjs/core/wasm/litert_wasm_threaded_internal.wasm?url';
import { download } from './download';
import type { TimedEngine } from './protocol';

/** Starts the build with threads where more than one is asked for. */
export async function start(threads: number): Promise<TimedEngine> {
  const [script, wasm] = threads > 1 ? [threadedScript, threadedWasm] : [plainScript, plainWasm];
  const loader = new URL(script, location.href).href;
  const text = new TextDecoder().decode(await download(loader));
  // Out of memory it prints that, throws nothing and hands out whatever lies where d0 should be.
  const errors: string[] = [];
  // It loads its script with importScripts, which a module worker has not; its threads start from the script's address.
  Object.assign(globalThis, {
    importScripts: () => (0, eval)(text),
    Module: {
      locateFile: () => new URL(wasm, location.href).href,
      mainScriptUrlOrBlob: loader,
      printErr: (line: string) => {
        if (line.includes('ERROR')) errors.push(line.replace(/^.*?ERROR:? */, ''));
      },
    },
  });
  await loadLiteRt(loader);
  return {
    version,
    threads,
    layout: 'nhwc',
    async download(url) {
      const file = new Uint8Array(await download(url));
      return {
        bytes: file.length,
        async load(shape) {
          const model = await loadAndCompile(file, { accelerator: 'wasm', cpuOptions: { numThreads: threads } });
          return {
            async run(input) {
              const x = new Tensor(input, [...shape]);
              const outputs = await model.run(x);
              x.delete();
              if (errors.length > 0) throw new Error(errors.join('; '));
              const d0 = await outputs[0]!.data();
              outputs.forEach((output) => output.delete());
              return d0 as Float32Array;
            },
          };
        },
      };
    },
  };
}

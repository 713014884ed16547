// Load a graph model with TensorFlow.js' own loader on the wasm backend, and digest every tensor that it then holds.

const { parseArgs } = require("node:util") as typeof import("node:util");
const tf = require("@tensorflow/tfjs-core") as typeof import("@tensorflow/tfjs-core");
const { loadGraphModel } = require("@tensorflow/tfjs-converter") as typeof import("@tensorflow/tfjs-converter");
require("@tensorflow/tfjs-backend-wasm");
const { digest, readBy, readModel, writeWhole } = require("./tfjs_files.cts") as import("./tfjs_files.cts").Files;

interface LoadedTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: number[];
  /** Of its values in memory: 4 bytes each, little-endian. */
  readonly sha256: string;
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({ options: { model: { type: "string" }, output: { type: "string" } } });
  if (!options.model || !options.output) throw new Error("usage: load_tfjs --model FOLDER --output JSON");
  await tf.setBackend("wasm");
  if (tf.getBackend() !== "wasm") throw new Error("the wasm backend did not start");
  const { artifacts, sha256, digests } = readModel(options.model);
  const model = await loadGraphModel({ load: async () => artifacts });
  const tensors: LoadedTensor[] = [];
  for (const [name, held] of Object.entries(model.weights)) {
    for (const tensor of held) {
      // Read back from wasm's memory, where the kernels will read it.
      const values = await tensor.data();
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      tensors.push({ name, dtype: tensor.dtype, shape: tensor.shape, sha256: digest(bytes) });
    }
  }
  const report = {
    backend: `@tensorflow/tfjs-backend-wasm ${tf.version_core}, Node.js ${process.version}`,
    model: options.model,
    model_sha256: sha256,
    read: readBy(options.output, digests),
    tensors,
  };
  console.log(`${options.model}: ${tensors.length} tensors loaded`);
  writeWhole(options.output, Buffer.from(`${JSON.stringify(report, null, 2)}\n`));
}

main().catch((error: unknown) => {
  console.error(`load_tfjs: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});

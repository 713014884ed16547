// Predict with TensorFlow.js on the wasm backend, in Node.js. The browser runs the same kernels.

const { readFileSync } = require("node:fs") as typeof import("node:fs");
const { parseArgs } = require("node:util") as typeof import("node:util");
const tf = require("@tensorflow/tfjs-core") as typeof import("@tensorflow/tfjs-core");
const { loadGraphModel } = require("@tensorflow/tfjs-converter") as typeof import("@tensorflow/tfjs-converter");
require("@tensorflow/tfjs-backend-wasm");
const { digest, readBy, readModel, writeWhole } = require("./tfjs_files.cts") as import("./tfjs_files.cts").Files;

type TensorContainer = import("@tensorflow/tfjs-core").TensorContainer;

interface TensorEntry {
  readonly dtype: string;
  readonly shape: number[];
  readonly data_offsets: [number, number];
}

/** Read a safetensors file of float32 tensors: an 8-byte length, a JSON header, then the values. */
function readSafetensors(path: string, file: Buffer): Map<string, { shape: number[]; values: Float32Array }> {
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString("utf8", 8, start)) as Record<string, TensorEntry>;
  const tensors = new Map<string, { shape: number[]; values: Float32Array }>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    if (entry.dtype !== "F32") throw new Error(`${path}: ${name} is ${entry.dtype}, expected F32`);
    const [from, to] = entry.data_offsets;
    // slice() copies, so that the view starts at a multiple of four bytes.
    const bytes = new Uint8Array(file.subarray(start + from, start + to)).slice();
    tensors.set(name, { shape: entry.shape, values: new Float32Array(bytes.buffer) });
  }
  return tensors;
}

/** Write float32 tensors and string metadata as safetensors. */
function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, { shape: number[]; values: Float32Array }>,
  metadata: Record<string, string>,
): void {
  // One key, as formats/predictions.py reads and writes it.
  const header: Record<string, unknown> = { __metadata__: { prediction: JSON.stringify(metadata) } };
  const chunks: Uint8Array[] = [];
  let offset = 0;
  for (const [name, { shape, values }] of tensors) {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
    chunks.push(bytes);
  }
  const text = JSON.stringify(header);
  const json = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeWhole(path, Buffer.concat([length, json, ...chunks]));
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: { model: { type: "string" }, probes: { type: "string" }, output: { type: "string" } },
  });
  if (!options.model || !options.probes || !options.output) {
    throw new Error("usage: predict_tfjs --model FOLDER --probes SAFETENSORS --output SAFETENSORS");
  }
  await tf.setBackend("wasm");
  if (tf.getBackend() !== "wasm") throw new Error("the wasm backend did not start");
  const { artifacts, sha256, digests } = readModel(options.model);
  const probes = readFileSync(options.probes);
  digests.set(options.probes, digest(probes));
  const model = await loadGraphModel({ load: async () => artifacts });
  const [x] = model.inputs;
  const [d0] = model.outputs;
  if (!x?.shape || !d0 || model.inputs.length !== 1 || model.outputs.length !== 1) {
    throw new Error(`${options.model} has ${model.inputs.length} inputs and ${model.outputs.length} outputs`);
  }
  const outputs = new Map<string, { shape: number[]; values: Float32Array }>();
  let shape: number[] = [];
  let peakBytes = 0;
  for (const [name, probe] of readSafetensors(options.probes, probes)) {
    const input = tf.tidy(() =>
      tf.transpose(tf.tensor4d(probe.values, probe.shape as [number, number, number, number]), [0, 2, 3, 1]),
    );
    const profile = await tf.profile(() => model.execute({ [x.name]: input }, d0.name) as TensorContainer);
    const output = profile.result as import("@tensorflow/tfjs-core").Tensor4D;
    peakBytes = Math.max(peakBytes, profile.peakBytes);
    input.dispose();
    shape = output.shape;
    const [batch, height, width, channels] = output.shape;
    if (channels !== 1) throw new Error(`${d0.name} has ${channels} channels, expected 1`);
    // One channel: NHWC and NCHW hold the same values in the same order.
    outputs.set(name, { shape: [batch, 1, height, width], values: (await output.data()) as Float32Array });
    output.dispose();
    console.log(`${name}: predicted`);
  }
  writeSafetensors(options.output, outputs, {
    backend: `@tensorflow/tfjs-backend-wasm ${tf.version_core}, Node.js ${process.version}`,
    model: options.model,
    model_sha256: sha256,
    read: JSON.stringify(readBy(options.output, digests)),
    // The most that all tensors took at one time, weights and input included.
    peak_bytes: String(peakBytes),
    signature: JSON.stringify({
      input_name: x.name,
      input_shape: x.shape,
      output_name: d0.name,
      output_shape: shape,
      layout: "NHWC",
    }),
  });
}

main().catch((error: unknown) => {
  console.error(`predict_tfjs: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});

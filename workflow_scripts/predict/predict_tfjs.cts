// Predict with TensorFlow.js on the wasm backend, in Node.js. The browser runs the same kernels.

const { createHash } = require("node:crypto") as typeof import("node:crypto");
const { readFileSync, renameSync, rmSync, writeFileSync } = require("node:fs") as typeof import("node:fs");
const { basename, dirname, join, relative } = require("node:path") as typeof import("node:path");
const { parseArgs } = require("node:util") as typeof import("node:util");
const tf = require("@tensorflow/tfjs-core") as typeof import("@tensorflow/tfjs-core");
const { loadGraphModel } = require("@tensorflow/tfjs-converter") as typeof import("@tensorflow/tfjs-converter");
require("@tensorflow/tfjs-backend-wasm");

type TensorContainer = import("@tensorflow/tfjs-core").TensorContainer;

interface TensorEntry {
  readonly dtype: string;
  readonly shape: number[];
  readonly data_offsets: [number, number];
}

const digest = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");

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

/** Write float32 tensors and string metadata as safetensors. The file appears whole or not at all. */
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
  const staging = join(dirname(path), `.${basename(path)}.partial`);
  try {
    const content = Buffer.concat([length, json, ...chunks]);
    writeFileSync(staging, content);
    // The seal that workflow_scripts.shared.files writes beside every output.
    const seal = join(dirname(path), `.${basename(path)}.seal.json`);
    writeFileSync(seal, JSON.stringify({ [basename(path)]: digest(content) }));
    renameSync(staging, path);
  } finally {
    rmSync(staging, { force: true });
  }
}

interface ReadModel {
  readonly artifacts: import("@tensorflow/tfjs-core").io.ModelArtifacts;
  /** Of model.json and all shards, one after another. */
  readonly sha256: string;
  /** Of each file. */
  readonly digests: Map<string, string>;
}

/** Read a graph model's artifacts from its folder, shards in the manifest's order, and digest all of them. */
function readModel(folder: string): ReadModel {
  const digests = new Map<string, string>();
  const readFile = (name: string): Buffer => {
    const content = readFileSync(join(folder, name));
    digests.set(join(folder, name), digest(content));
    return content;
  };
  const text = readFile("model.json");
  const model = JSON.parse(text.toString("utf8")) as import("@tensorflow/tfjs-core").io.ModelJSON;
  const shards = model.weightsManifest.flatMap((group) => group.paths.map((path) => readFile(path)));
  const weights = Buffer.concat(shards);
  return {
    artifacts: {
      modelTopology: model.modelTopology,
      format: "graph-model",
      signature: model.signature ?? {},
      weightSpecs: model.weightsManifest.flatMap((group) => group.weights),
      weightData: weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.byteLength) as ArrayBuffer,
    },
    sha256: createHash("sha256").update(text).update(weights).digest("hex"),
    digests,
  };
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
  const folder = dirname(options.output);
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
    // What formats/evidence.py follows: paths from this file's folder.
    read: JSON.stringify(Object.fromEntries([...digests].map(([path, sha]) => [relative(folder, path), sha]))),
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

// What the scripts for TensorFlow.js share: read a model from its folder, and write an output whole, with its seal.

const { createHash } = require("node:crypto") as typeof import("node:crypto");
const { readFileSync, renameSync, rmSync, writeFileSync } = require("node:fs") as typeof import("node:fs");
const { basename, dirname, join, relative } = require("node:path") as typeof import("node:path");

interface ReadModel {
  readonly artifacts: import("@tensorflow/tfjs-core").io.ModelArtifacts;
  /** Of model.json and all shards, one after another. */
  readonly sha256: string;
  /** Of each file. */
  readonly digests: Map<string, string>;
}

const digest = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");

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

/** Name the files that `output` was made of as formats/evidence.py follows them: by their paths from its folder. */
function readBy(output: string, digests: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...digests].map(([path, sha]) => [relative(dirname(output), path), sha]));
}

/** Write an output that appears whole or not at all, and the seal that workflow_scripts.shared.files writes beside it. */
function writeWhole(path: string, content: Uint8Array): void {
  const staging = join(dirname(path), `.${basename(path)}.partial`);
  try {
    writeFileSync(staging, content);
    const seal = join(dirname(path), `.${basename(path)}.seal.json`);
    writeFileSync(seal, JSON.stringify({ [basename(path)]: digest(content) }));
    renameSync(staging, path);
  } finally {
    rmSync(staging, { force: true });
  }
}

const files = { digest, readBy, readModel, writeWhole };
export type Files = typeof files;
module.exports = files;

import type { GraphModel } from '@tensorflow/tfjs-converter';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import type { io } from '@tensorflow/tfjs-core';
import { dispose, Tensor, tensor4d, tidy, zeros } from '@tensorflow/tfjs-core';
import { type Artifact, filesOf } from '../../site/catalogue';
import type { FileStore, Received } from '../../site/file_store';
import { invalid } from '../invalid';
import type { Network, Runtime } from '../runtime';

/** Compiles in parallel the shaders that `run` needs. What `run` computes meanwhile is not valid. */
export type Compile = (run: () => void) => Promise<void>;

/** Reads graphs and their shards for TensorFlow.js. The shards are in the order of the graph's own manifest. */
export function openGraph(compile: Compile): Runtime['read'] {
  return async (store, base, artifact, onProgress) => {
    const { artifacts, fetched } = await readModel(store, base, artifact, onProgress);
    return { fetched, load: (resolution) => GraphNetwork.load(artifacts, artifact, resolution, compile) };
  };
}

async function readModel(
  store: FileStore,
  base: URL,
  artifact: Artifact,
  onProgress: (progress: Received) => void,
): Promise<{ artifacts: io.ModelArtifacts; fetched: number }> {
  const { contents, fetched } = await store.read(filesOf(artifact), onProgress);
  const [graph, ...shards] = contents;
  const json = JSON.parse(new TextDecoder().decode(graph)) as io.ModelJSON;
  const byAddress = new Map(artifact.weights.map((file, index) => [new URL(file.url, base).href, shards[index]!]));
  const graphAddress = new URL(artifact.model.url, base);
  const weightData = json.weightsManifest.flatMap((group) =>
    group.paths.map((path) => {
      const shard = byAddress.get(new URL(path, graphAddress).href);
      if (shard === undefined) throw invalid(artifact, `the graph names ${path}, the catalogue does not`);
      return shard;
    }),
  );
  const { modelTopology, signature, format, userDefinedMetadata } = json;
  return {
    artifacts: {
      modelTopology,
      weightSpecs: json.weightsManifest.flatMap((group) => group.weights),
      weightData,
      ...(format !== undefined && { format }),
      ...(signature !== undefined && { signature }),
      ...(userDefinedMetadata !== undefined && { userDefinedMetadata }),
    },
    fetched,
  };
}

/** A graph on the current backend. */
class GraphNetwork implements Network {
  readonly #model: GraphModel;
  readonly #input: string;
  readonly #resolution: number;
  readonly #compile: Compile;

  private constructor(model: GraphModel, input: string, resolution: number, compile: Compile) {
    this.#model = model;
    this.#input = input;
    this.#resolution = resolution;
    this.#compile = compile;
  }

  static async load(
    artifacts: io.ModelArtifacts,
    artifact: Artifact,
    resolution: number,
    compile: Compile,
  ): Promise<Network> {
    const model = await loadGraphModel({ load: () => Promise.resolve(artifacts) });
    const input = model.inputs[0];
    const shape = input?.shape?.join('×');
    if (input === undefined || shape !== `1×${resolution}×${resolution}×3`) {
      model.dispose();
      throw invalid(artifact, `its input is ${shape ?? 'missing'}`);
    }
    return new GraphNetwork(model, input.name, resolution, compile);
  }

  /** Runs on zeros and discards the output without reading it. */
  warmUp(): Promise<void> {
    return this.#compile(() => {
      dispose(tidy(() => this.#model.predict({ [this.#input]: zeros([1, this.#resolution, this.#resolution, 3]) })));
    });
  }

  async run(input: Float32Array): Promise<Float32Array<ArrayBuffer>> {
    const x = tensor4d(input, [1, this.#resolution, this.#resolution, 3]);
    try {
      const output = this.#model.predict({ [this.#input]: x });
      if (!(output instanceof Tensor)) throw new Error('The graph has more than one output');
      try {
        // Copy it: a backend may return a view of memory that it will use again.
        return new Float32Array(await output.data());
      } finally {
        output.dispose();
      }
    } finally {
      x.dispose();
    }
  }

  dispose(): void {
    this.#model.dispose();
  }
}

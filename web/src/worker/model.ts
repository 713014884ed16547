import type { GraphModel } from '@tensorflow/tfjs-converter';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import type { io } from '@tensorflow/tfjs-core';
import { dispose, Tensor, tensor4d, tidy, zeros } from '@tensorflow/tfjs-core';
import { type Artifact, filesOf } from '../catalogue';
import { PageError } from '../errors';
import type { FileStore, Progress } from '../files';

/** A model.json and its weights, checked and in memory, not yet on any backend. */
export interface ModelFiles {
  readonly artifacts: io.ModelArtifacts;
  /** Bytes that came over the network. */
  readonly fetched: number;
}

/**
 * Reads a graph and its shards, in the order of the graph's own manifest.
 *
 * @throws PageError as {@link FileStore.read} does, and `model-invalid` if the graph names a shard that the catalogue
 * does not.
 */
export async function readModel(
  store: FileStore,
  base: URL,
  artifact: Artifact,
  onProgress: (progress: Progress) => void,
): Promise<ModelFiles> {
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

/** A graph on the current backend. Its weights stay there until {@link dispose}. */
export class Network {
  readonly #model: GraphModel;
  readonly #input: string;
  readonly #resolution: number;

  private constructor(model: GraphModel, input: string, resolution: number) {
    this.#model = model;
    this.#input = input;
    this.#resolution = resolution;
  }

  /** @throws PageError `model-invalid` if the graph's input is not NHWC [1, resolution, resolution, 3]. */
  static async load(files: ModelFiles, artifact: Artifact, resolution: number): Promise<Network> {
    const model = await loadGraphModel({ load: () => Promise.resolve(files.artifacts) });
    const input = model.inputs[0];
    const shape = input?.shape?.join('×');
    if (input === undefined || shape !== `1×${resolution}×${resolution}×3`) {
      model.dispose();
      throw invalid(artifact, `its input is ${shape ?? 'missing'}`);
    }
    return new Network(model, input.name, resolution);
  }

  /** Runs on zeros and throws the output away unread. */
  compile(): void {
    dispose(tidy(() => this.#model.predict({ [this.#input]: zeros([1, this.#resolution, this.#resolution, 3]) })));
  }

  /**
   * @param input float32 NHWC [1, resolution, resolution, 3].
   * @returns d0, float32 NHWC [1, resolution, resolution, 1] in [0, 1].
   */
  async run(input: Float32Array): Promise<Float32Array<ArrayBuffer>> {
    const x = tensor4d(input, [1, this.#resolution, this.#resolution, 3]);
    try {
      const output = this.#model.predict({ [this.#input]: x });
      if (!(output instanceof Tensor)) throw new Error('The graph has more than one output');
      try {
        // A copy: what a backend hands out may be a view of memory that it will use again.
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

function invalid(artifact: Artifact, reason: string): PageError {
  return new PageError(
    'model-invalid',
    `${artifact.model.url} cannot be used: ${reason}. Choose another resolution or precision; whoever runs this site has to convert this one again.`,
  );
}

import { type Artifact, filesOf } from '../../site/catalogue';
import { type FileStore, type Received, sha256 } from '../../site/file_store';
import { invalid } from '../invalid';

/**
 * How a .tflite file is joined from parts that resolutions share. `pieces` are lengths in bytes. They are taken in turn
 * from the skeleton, which comes first, and from the weights.
 */
interface Recipe {
  readonly bytes: number;
  readonly sha256: string;
  /** Addresses relative to the recipe. */
  readonly skeleton: readonly string[];
  readonly weights: readonly string[];
  readonly pieces: readonly number[];
}

/**
 * Reads the parts of a .tflite file and joins them.
 *
 * @throws U2NetError as {@link FileStore.read} does, and `model-invalid` if recipe, parts and catalogue disagree.
 */
export async function readTflite(
  store: FileStore,
  base: URL,
  artifact: Artifact,
  onProgress: (progress: Received) => void,
): Promise<{ model: Uint8Array<ArrayBuffer>; fetched: number }> {
  const { contents, fetched } = await store.read(filesOf(artifact), onProgress);
  const [head, ...shards] = contents;
  const recipe = JSON.parse(new TextDecoder().decode(head)) as Recipe;
  const byAddress = new Map(artifact.weights.map((file, index) => [new URL(file.url, base).href, shards[index]!]));
  const recipeAddress = new URL(artifact.model.url, base);
  const partsOf = (paths: readonly string[]) =>
    paths.map((path) => {
      const part = byAddress.get(new URL(path, recipeAddress).href);
      if (part === undefined) throw invalid(artifact, `the recipe names ${path}, the catalogue does not`);
      return part;
    });
  const model = join(artifact, recipe, new Parts(partsOf(recipe.skeleton)), new Parts(partsOf(recipe.weights)));
  if ((await sha256(model.buffer)) !== recipe.sha256) {
    throw invalid(artifact, 'put together, it is not the file that was checked (the SHA-256 differs)');
  }
  return { model, fetched };
}

function join(artifact: Artifact, recipe: Recipe, skeleton: Parts, weights: Parts): Uint8Array<ArrayBuffer> {
  const model = new Uint8Array(recipe.bytes);
  let end = 0;
  for (const [index, length] of recipe.pieces.entries()) {
    const from = index % 2 === 0 ? skeleton : weights;
    if (length > from.left || end + length > model.length) throw invalid(artifact, 'its parts do not fit the recipe');
    from.take(model.subarray(end, end + length));
    end += length;
  }
  if (end !== model.length || skeleton.left > 0 || weights.left > 0) {
    throw invalid(artifact, 'its parts do not fit the recipe');
  }
  return model;
}

/** Several buffers that are read as if they were one. */
class Parts {
  readonly #parts: Uint8Array[];
  left: number;

  constructor(parts: readonly ArrayBuffer[]) {
    this.#parts = parts.map((part) => new Uint8Array(part));
    this.left = parts.reduce((sum, part) => sum + part.byteLength, 0);
  }

  /** Fills `target` with the next bytes. There must be enough of them. */
  take(target: Uint8Array): void {
    this.left -= target.length;
    for (let filled = 0; filled < target.length;) {
      const part = this.#parts[0]!;
      const piece = part.subarray(0, target.length - filled);
      target.set(piece, filled);
      filled += piece.length;
      if (piece.length === part.length) this.#parts.shift();
      else this.#parts[0] = part.subarray(piece.length);
    }
  }
}

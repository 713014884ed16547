import { type BackendName, type BackendReport, onProcessor } from '../engines/backends';
import type { Artifact, ModelEntry } from '../site/catalogue';

/**
 * Multiply-adds per second to assume until this machine has drawn once. On the processor they are per thread. The
 * figure of TensorFlow.js was measured on a server with the small U²-Net. LiteRT's follows from the ratio of the two,
 * which was measured with the full-size U²-Net. The GPU figures are low ones of a laptop. LiteRT was not measured on a
 * GPU, so it is placed behind TensorFlow.js.
 */
const TYPICAL: Record<BackendName, number> = {
  webgpu: 400e9,
  webgl: 200e9,
  'litert-webgpu': 100e9,
  'litert-wasm': 7e9,
  wasm: 5e9,
};
/** Measured on Chromium's SwiftShader. */
const SOFTWARE = 0.15e9;
const KEY = 'speeds';

/** A substitute for the browser's storage that stores nothing. */
export const NO_STORAGE: Pick<Storage, 'getItem' | 'setItem'> = { getItem: () => null, setItem: () => {} };

export interface Estimate {
  readonly ms: number;
  /** Whether it comes from a run of this model on this machine, and not from typical figures. */
  readonly measured: boolean;
}

/** What a speed belongs to: a model, and its weights if they change what is computed. */
export function paceOf({ model, artifact }: { readonly model: ModelEntry; readonly artifact: Artifact }): string {
  return artifact.dtype === 'int8' ? `${model.name}/int8` : model.name;
}

/** How fast each backend has run each model here, kept between visits. A model is named as {@link paceOf} does. */
export class Speeds {
  readonly #storage: Pick<Storage, 'getItem' | 'setItem'>;
  readonly #speeds: Map<string, number>;

  constructor(storage: Pick<Storage, 'getItem' | 'setItem'>) {
    this.#storage = storage;
    this.#speeds = read(storage);
  }

  /** Records that a run of `multiplyAdds` took `ms` milliseconds. */
  record(backend: BackendReport, model: string, multiplyAdds: number, ms: number): void {
    if (!(ms > 0)) return;
    this.#speeds.set(keyOf(backend, model), multiplyAdds / (ms / 1000));
    try {
      this.#storage.setItem(KEY, JSON.stringify(Object.fromEntries(this.#speeds)));
    } catch {
      // Without storage, the figures last only as long as the page.
    }
  }

  estimate(backend: BackendReport, model: string, multiplyAdds: number): Estimate {
    const measured = this.#speeds.get(keyOf(backend, model));
    return { ms: (1000 * multiplyAdds) / (measured ?? typical(backend)), measured: measured !== undefined };
  }
}

/** How many multiply-adds per second a backend of this kind does. */
export function typical(backend: BackendReport): number {
  if (backend.software) return SOFTWARE;
  return TYPICAL[backend.name] * (onProcessor(backend.name) ? backend.threads : 1);
}

function keyOf(backend: BackendReport, model: string): string {
  return `${backend.name}/${backend.threads}/${model}`;
}

function read(storage: Pick<Storage, 'getItem'>): Map<string, number> {
  try {
    const stored: unknown = JSON.parse(storage.getItem(KEY) ?? '{}');
    const entries = Object.entries(stored as Record<string, unknown>);
    return new Map(entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number' && entry[1] > 0));
  } catch {
    return new Map();
  }
}

import type { BackendReport } from './protocol';

/**
 * Multiply-adds a second, to start with, until this machine has drawn once. wasm: a thread of a server's processor,
 * measured on the small U²-Net; the GPUs: a laptop's, on the low side; software: measured on Chromium's SwiftShader.
 */
const TYPICAL = { wasmThread: 5e9, webgpu: 400e9, webgl: 200e9, software: 0.15e9 } as const;
const KEY = 'speeds';

export interface Estimate {
  readonly ms: number;
  /** From a run of this model on this machine, rather than from typical figures. */
  readonly measured: boolean;
}

/** How fast each backend has run each model here, kept between visits. */
export class Speeds {
  readonly #storage: Pick<Storage, 'getItem' | 'setItem'>;
  readonly #speeds: Map<string, number>;

  constructor(storage: Pick<Storage, 'getItem' | 'setItem'>) {
    this.#storage = storage;
    this.#speeds = read(storage);
  }

  /** Takes down that a run of `multiplyAdds` took `ms`. */
  record(backend: BackendReport, model: string, multiplyAdds: number, ms: number): void {
    if (!(ms > 0)) return;
    this.#speeds.set(keyOf(backend, model), multiplyAdds / (ms / 1000));
    try {
      this.#storage.setItem(KEY, JSON.stringify(Object.fromEntries(this.#speeds)));
    } catch {
      // Without storage the figures last as long as the page.
    }
  }

  estimate(backend: BackendReport, model: string, multiplyAdds: number): Estimate {
    const measured = this.#speeds.get(keyOf(backend, model));
    return { ms: (1000 * multiplyAdds) / (measured ?? typical(backend)), measured: measured !== undefined };
  }
}

function typical(backend: BackendReport): number {
  if (backend.software) return TYPICAL.software;
  return backend.name === 'wasm' ? TYPICAL.wasmThread * backend.threads : TYPICAL[backend.name];
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

import { change, type Choice, choose, fidelity, type Machine, offered, type Wish } from '../../lib/choice/choose';
import { misfit } from '../../lib/choice/memory';
import { type BackendName, type BackendReport, onProcessor } from '../../lib/engines/backends';
import { formatBytes, formatSeconds } from '../../lib/format';
import {
  type Artifact,
  artifactsOf,
  type Catalogue,
  filesOf,
  type ModelEntry,
  type Resolution,
} from '../../lib/site/catalogue';
import type { FileStore } from '../../lib/site/file_store';
import { byId } from '../dom';

const TASKS = { portrait: 'pencil portraits', drawing: 'pencil portraits', saliency: 'cut-outs' } as const;

/** The four selects, each with its cost beside it. */
export class Settings {
  readonly #model = byId('model', HTMLSelectElement);
  readonly #resolution = byId('resolution', HTMLSelectElement);
  readonly #dtype = byId('dtype', HTMLSelectElement);
  readonly #backend = byId('backend', HTMLSelectElement);
  readonly #catalogue: Catalogue;
  readonly #machine: Machine;
  readonly #store: FileStore;
  #choice: Choice;
  #explanation: string | null = null;

  /** Called when the person has chosen something else. */
  onChange: () => void = () => {};

  constructor(catalogue: Catalogue, machine: Machine, store: FileStore, wish: Wish) {
    this.#catalogue = catalogue;
    this.#machine = machine;
    this.#store = store;
    this.#choice = choose(catalogue, machine, wish);
    const onChange = (wishOf: () => Partial<Wish>) => () => {
      this.#explanation = null;
      this.#choose(wishOf());
      this.onChange();
    };
    // Another model has its own best resolution. The other choices stay.
    this.#model.addEventListener(
      'change',
      onChange(() => ({ model: this.#model.value, resolution: null, dtype: null })),
    );
    this.#resolution.addEventListener(
      'change',
      onChange(() => ({ resolution: this.#resolution.value })),
    );
    this.#dtype.addEventListener(
      'change',
      onChange(() => ({ dtype: this.#dtype.value })),
    );
    this.#backend.addEventListener(
      'change',
      onChange(() => ({ backend: this.#backend.value })),
    );
    this.#show();
  }

  get choice(): Choice {
    return this.#choice;
  }

  /** Uses another backend from now on, with the same other choices. */
  useBackend(name: BackendName): void {
    this.#choose({ backend: name });
  }

  /** Says beside the backend why it is not the chosen one. The note stays until the person chooses again. */
  explainBackend(explanation: string): void {
    this.#explanation = explanation;
    this.#show();
  }

  /** Writes the costs again, after a drawing has measured them or a download has ended. */
  refresh(): void {
    this.#show();
  }

  #choose(wish: Partial<Wish>): void {
    this.#choice = change(this.#catalogue, this.#machine, this.#choice, wish);
    this.#show();
  }

  #show(): void {
    const { model, resolution, artifact, backend } = this.#choice;
    fill(this.#model, this.#catalogue.models, model, (entry) => [entry.name, `${entry.name} · ${TASKS[entry.task]}`]);
    fill(this.#resolution, model.resolutions, resolution, (entry) => [
      String(entry.side),
      `${entry.side} × ${entry.side} · ${this.#time(entry, backend)}`,
    ]);
    fill(this.#dtype, artifactsOf(resolution, artifact.engine), artifact, (entry) => [
      entry.dtype,
      `${entry.dtype} · ${formatBytes(bytesOf(entry))}`,
    ]);
    fill(
      this.#backend,
      offered(this.#machine.backends, model),
      backend,
      (entry) => [
        entry.name,
        entry.unavailable === null ? `${nameOf(entry)} · ${this.#time(resolution, entry)}` : `${entry.name} · not here`,
      ],
      (entry) => entry.unavailable !== null,
    );
    note(
      'model-note',
      `${(model.parameters / 1e6).toFixed(1)} million parameters.${model.notice === null ? '' : ` ${model.notice}`}`,
    );
    note('resolution-note', this.#resolutionNote(model, resolution, backend));
    note('dtype-note', `${capital(fidelity(artifact))}: ${Math.round(artifact.parity.psnr_db)} dB from PyTorch.`);
    note('backend-note', this.#explanation ?? this.#backendNote(backend));
    byId('licence', HTMLElement).textContent = `${model.name}: ${model.licence}.`;
    const portrait = model.task !== 'saliency';
    byId('run', HTMLButtonElement).textContent = portrait ? 'Draw' : 'Cut out';
    byId('result-title', HTMLElement).textContent = portrait ? 'Drawing' : 'Cut-out';
    void this.#showDownload(artifact);
  }

  async #showDownload(artifact: Artifact): Promise<void> {
    const missing = await this.#store.missingBytes(filesOf(artifact));
    if (artifact !== this.#choice.artifact) return;
    const cost = missing === 0 ? 'Already here, nothing to download.' : `${formatBytes(missing)} to download.`;
    note(
      'dtype-note',
      `${capital(fidelity(artifact))}: ${Math.round(artifact.parity.psnr_db)} dB from PyTorch. ${cost}`,
    );
  }

  #time(resolution: Resolution, backend: BackendReport): string {
    return `about ${formatSeconds(this.#machine.speeds.estimate(backend, this.#choice.model.name, resolution.multiply_adds).ms)}`;
  }

  #resolutionNote(model: ModelEntry, resolution: Resolution, backend: BackendReport): string {
    if (misfit(model, resolution.side, backend, this.#machine.deviceMemory) !== null) {
      return 'May not fit into graphics memory.';
    }
    const { measured } = this.#machine.speeds.estimate(backend, model.name, resolution.multiply_adds);
    return measured ? 'Time from your last drawing.' : 'Time estimated, until you have drawn once.';
  }

  /** Describes the backend, and says why the page cannot offer the others. */
  #backendNote(backend: BackendReport): string {
    const reasons = offered(this.#machine.backends, this.#choice.model).flatMap(({ unavailable }) => unavailable ?? []);
    // Several backends may be missing for the same reason.
    return [describe(backend), ...new Set(reasons.map((reason) => `${capital(reason)}.`))].join(' ');
  }
}

function describe(backend: BackendReport): string {
  if (!onProcessor(backend.name)) {
    return backend.software ? `${backend.device}: a GPU imitated in software, slower than wasm.` : `${backend.device}.`;
  }
  const processor = describeProcessor(backend);
  return backend.name === 'litert-wasm'
    ? `${processor} LiteRT itself is a download of 9 MB the first time.`
    : processor;
}

function describeProcessor(backend: BackendReport): string {
  if (backend.threads > 1) return 'Your processor.';
  if (!crossOriginIsolated) {
    return 'Your processor, on one thread: the server does not send the headers (COOP and COEP) that threads need.';
  }
  return 'Your processor, on one thread: this browser or machine offers no more.';
}

function fill<T>(
  select: HTMLSelectElement,
  entries: readonly T[],
  selected: T,
  describe: (entry: T) => [value: string, text: string],
  disabled: (entry: T) => boolean = () => false,
): void {
  select.replaceChildren(
    ...entries.map((entry) => {
      const [value, text] = describe(entry);
      const option = new Option(text, value, false, entry === selected);
      option.disabled = disabled(entry);
      return option;
    }),
  );
}

function nameOf(backend: BackendReport): string {
  return backend.threads > 1 ? `${backend.name}, ${backend.threads} threads` : backend.name;
}

function bytesOf(artifact: Artifact): number {
  return filesOf(artifact).reduce((sum, file) => sum + file.bytes, 0);
}

function note(id: string, text: string): void {
  byId(id, HTMLElement).textContent = text;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

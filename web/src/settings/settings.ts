import { change, type Choice, choose, isExperimental, type Machine, madeFor, offered, type Wish, without } from '../../lib/choice/choose';
import { paceOf } from '../../lib/choice/speed';
import { misfit } from '../../lib/choice/memory';
import type { BackendName, BackendReport } from '../../lib/engines/backends';
import type { Said } from '../../lib/messages';
import { type Artifact, artifactsOf, type Catalogue, filesOf, type Resolution } from '../../lib/site/catalogue';
import type { FileStore } from '../../lib/site/file_store';
import type { Verdict } from '../../lib/verdict/compare';
import { byId } from '../dom';
import { onLanguage, tell, words } from '../words/words';
import type { Remembered } from './remembered';
import { fill, note } from './select';
import * as phrases from './words';

/** What to make, and under "Advanced" how: four selects, each with its cost beside it. */
export class Settings {
  readonly #model = byId('model', HTMLSelectElement);
  readonly #resolution = byId('resolution', HTMLSelectElement);
  readonly #dtype = byId('dtype', HTMLSelectElement);
  readonly #backend = byId('backend', HTMLSelectElement);
  readonly #catalogue: Catalogue;
  readonly #store: FileStore;
  #machine: Machine;
  #choice: Choice;
  #explanation: (() => string) | null = null;
  #verdict: Verdict | null = null;
  /** Backends whose engine has come since the machine was inspected. */
  readonly #engines = new Set<BackendName>();

  readonly #listeners: (() => void)[] = [];

  constructor(catalogue: Catalogue, machine: Machine, store: FileStore, remembered: Remembered, wish: Wish) {
    this.#catalogue = catalogue;
    this.#machine = machine;
    this.#store = store;
    const model = choose(catalogue, machine, wish).model.name;
    this.#choice = choose(catalogue, machine, { ...wish, resolution: wish.resolution || remembered.resolution(model) });
    const onSelect = (select: HTMLSelectElement, wishOf: (value: string) => Partial<Wish>) =>
      select.addEventListener('change', () => {
        this.#explanation = null;
        this.#choose(wishOf(select.value));
      });
    // Another model has its own best resolution. The other choices stay.
    onSelect(this.#model, (model) => ({ model, resolution: remembered.resolution(model), dtype: null }));
    onSelect(this.#resolution, (resolution) => {
      remembered.keep(this.#choice.model.name, resolution);
      return { resolution };
    });
    onSelect(this.#dtype, (dtype) => ({ dtype }));
    onSelect(this.#backend, (backend) => ({ backend }));
    onLanguage(() => this.#show());
    this.#show();
  }

  /** Has `act` called when something else is chosen, by the person or by the page. */
  onChange(act: () => void): void {
    this.#listeners.push(act);
  }

  get choice(): Choice {
    return this.#choice;
  }

  get machine(): Machine {
    return this.#machine;
  }

  /** Uses another backend from now on, with the same other choices. @param reason why, to be said beside it. */
  useBackend(name: BackendName, reason: Said | null = null): void {
    const from = this.#choice.backend;
    this.#choose({ backend: name });
    if (reason !== null) this.#explain(from, reason);
  }

  /** Uses the best of the other backends from now on, because this one computes wrong results. */
  exclude(name: BackendName, reason: Said): void {
    const from = this.#choice.backend;
    this.#machine = without(this.#machine, name, reason);
    this.#choose({ backend: null });
    this.#explain(from, reason);
  }

  /** Uses another resolution from now on. */
  useResolution(side: number): void {
    if (side !== this.#choice.resolution.side) this.#choose({ resolution: String(side) });
  }

  /** The highest resolution that the model was made for and that is drawn within `ms` here, or null if none is. */
  within(ms: number): Resolution | null {
    return madeFor(this.#choice.model).findLast((entry) => this.#estimate(entry, this.#choice.backend) <= ms) ?? null;
  }

  /** What is still to be downloaded for a drawing, in bytes. */
  async missing(): Promise<{ model: number; engine: number }> {
    const { artifact, backend } = this.#choice;
    const model = await this.#store.missingBytes(filesOf(artifact));
    return { model, engine: this.#engines.has(backend.name) ? 0 : backend.download };
  }

  /** Writes the costs again, after a drawing has measured them and all downloads for it have ended. */
  drawn(verdict: Verdict | null): void {
    this.#verdict = verdict ?? this.#verdict;
    this.#engines.add(this.#choice.backend.name);
    this.#show();
  }

  /** Writes the costs again, after a drawing was cancelled or failed. */
  refresh(): void {
    this.#show();
  }

  #choose(wish: Partial<Wish>): void {
    const { backend, model } = this.#choice;
    this.#choice = change(this.#catalogue, this.#machine, this.#choice, wish);
    if (this.#choice.backend.name !== backend.name || this.#choice.model !== model) this.#verdict = null;
    this.#show();
    for (const act of this.#listeners) act();
  }

  /** Says why another backend than before is used. */
  #explain(from: BackendReport, reason: Said): void {
    const to = this.#choice.backend;
    this.#explanation = () => phrases.wentOn(from, reason, to);
    this.#show();
  }

  #estimate(resolution: Resolution, backend: BackendReport): number {
    return this.#machine.speeds.estimate(backend, paceOf(this.#choice), resolution.multiply_adds).ms;
  }

  #time(resolution: Resolution, backend: BackendReport): string {
    return words.talk.about(this.#estimate(resolution, backend));
  }

  #show(): void {
    const { model, resolution, artifact, backend } = this.#choice;
    const { models } = this.#catalogue;
    fill(this.#model, models, model, (entry) => [entry.name, phrases.modelLabel(entry, models)]);
    fill(this.#resolution, model.resolutions, resolution, (entry) => [
      String(entry.side),
      `${entry.side} × ${entry.side}${isExperimental(model, entry) ? ` · ${words.talk.experimental}` : ''} · ${this.#time(entry, backend)}`,
    ]);
    fill(this.#dtype, artifactsOf(resolution, artifact.engine), artifact, (entry) => [
      entry.dtype,
      `${entry.dtype} · ${words.talk.bytes(bytesOf(entry))}`,
    ]);
    const backends = offered(this.#machine.backends, model);
    fill(
      this.#backend,
      backends,
      backend,
      (entry) => [
        entry.name,
        `${phrases.backendLabel(entry)} · ${entry.unavailable === null ? this.#time(resolution, entry) : words.talk.notHere}`,
      ],
      (entry) => entry.unavailable !== null,
    );
    note('model-note', model.notice ?? '');
    note('machine-summary', this.#explanation?.() ?? phrases.summary(backend, this.#estimate(resolution, backend)));
    note('resolution-note', this.#resolutionNote());
    note('dtype-note', phrases.weightsNote(model, artifact));
    // Several backends may be missing for the same reason.
    const reasons = new Set(backends.flatMap(({ unavailable }) => (unavailable === null ? [] : tell(unavailable))));
    const why = Array.from(reasons, (reason) => words.talk.sentence(reason));
    note('backend-note', words.talk.sentences([phrases.describeDevice(backend), ...why]));
    note('verified', phrases.verdictNote(this.#verdict, backend));
    note('licence', words.talk.licence(model.name, model.licence));
    const portrait = model.task !== 'saliency';
    note('run', portrait ? words.page.draw : words.talk.cutOut);
    note('result-title', portrait ? words.page.drawing : words.page.cutOut);
    void this.#showDownload(artifact);
  }

  async #showDownload(artifact: Artifact): Promise<void> {
    const { model, engine } = await this.missing();
    if (artifact !== this.#choice.artifact) return;
    byId('download-note', HTMLElement).hidden = model + engine === 0;
    note('download-note', phrases.downloadNote(model, engine));
  }

  #resolutionNote(): string {
    const { model, resolution, backend } = this.#choice;
    if (misfit(model, resolution.side, backend, this.#machine.deviceMemory) !== null) {
      return words.talk.mayNotFit;
    }
    if (isExperimental(model, resolution)) return phrases.experimentalNote(model);
    const { measured } = this.#machine.speeds.estimate(backend, paceOf(this.#choice), resolution.multiply_adds);
    return measured ? words.talk.timeMeasured : words.talk.timeEstimated;
  }
}

function bytesOf(artifact: Artifact): number {
  return filesOf(artifact).reduce((sum, file) => sum + file.bytes, 0);
}

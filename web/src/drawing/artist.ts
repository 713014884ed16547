import type { Choice, Machine } from '../../lib/choice/choose';
import { misfit } from '../../lib/choice/memory';
import { asU2NetError, isGpuFailure, U2NetError } from '../../lib/errors';
import { formatSeconds } from '../../lib/format';
import { type Drawn, WorkerClient } from '../../lib/worker/client';
import type { DrawJob } from '../../lib/worker/protocol';
import type { Activity } from '../activity/activity';
import { Settings } from '../settings/settings';

/** A drawing, and what was chosen when it was begun. */
export interface Made extends Drawn {
  readonly choice: Choice;
}

/** The part of a job that depends on the photo. The rest depends on what is chosen. */
export type Part = Pick<DrawJob, 'photo' | 'size' | 'crop' | 'products'>;

/** Draws photos with the chosen settings, one job at a time. If a GPU fails, it continues with wasm. */
export class Artist {
  readonly #client: WorkerClient;
  readonly #settings: Settings;
  readonly #machine: Machine;
  readonly #base: URL;
  readonly #activity: Activity;
  #busy: PromiseWithResolvers<void> | undefined;

  constructor(client: WorkerClient, settings: Settings, machine: Machine, base: URL, activity: Activity) {
    this.#client = client;
    this.#settings = settings;
    this.#machine = machine;
    this.#base = base;
    this.#activity = activity;
    client.onIdleLoss = (reason) => this.#moveToWasm(reason);
  }

  /** Settles when the running drawing, or live drawing, is over. It is undefined if no drawing is running. */
  get busy(): Promise<void> | undefined {
    return this.#busy?.promise;
  }

  cancel(): void {
    this.#client.cancel();
  }

  /** Why the chosen settings would not fit into memory here, or null if they should. */
  misfit(): string | null {
    const { model, resolution, backend } = this.#settings.choice;
    return misfit(model, resolution.side, backend, this.#machine.deviceMemory);
  }

  /** Shows the page at work until `work` is over, and what went wrong if it fails. */
  async during(work: () => Promise<void>): Promise<void> {
    this.#busy = Promise.withResolvers();
    document.documentElement.dataset['state'] = 'drawing';
    this.#activity.begin();
    try {
      await work();
    } catch (cause) {
      this.#report(asU2NetError(cause));
    } finally {
      document.documentElement.dataset['state'] = 'ready';
      this.#activity.end();
      this.#settings.refresh();
      this.#busy.resolve();
      this.#busy = undefined;
    }
  }

  /**
   * Makes one drawing with the chosen settings. If the GPU fails, it draws the same photo again on wasm. The first
   * attempt uses up a live frame, so only the next frame is drawn on wasm.
   *
   * @throws U2NetError as {@link WorkerClient.draw} does.
   */
  async draw(part: Part): Promise<Made> {
    try {
      return await this.#drawOnce(part);
    } catch (cause) {
      const error = asU2NetError(cause);
      if (!isGpuFailure(error) || this.#settings.choice.backend.name === 'wasm') throw error;
      if (!(part.photo instanceof Blob)) {
        if (error.code === 'context-lost') this.#moveToWasm(error.message);
        throw error;
      }
      this.#moveToWasm(error.message);
      return this.#drawOnce(part);
    }
  }

  async #drawOnce(part: Part): Promise<Made> {
    // Remember the present choice: the person may choose something else while the drawing is running.
    const { choice } = this.#settings;
    const { model, resolution, artifact, backend } = choice;
    const { speeds } = this.#machine;
    const live = !(part.photo instanceof Blob);
    const expected = speeds.estimate(backend, model.name, resolution.multiply_adds).ms;
    const drawn = await this.#client.draw(
      {
        ...part,
        task: model.task,
        resolution: resolution.side,
        artifact,
        base: this.#base.href,
        backend: backend.name,
        threads: backend.threads,
      },
      (stage, loaded, total) => {
        if (live && (stage === 'run' || stage === 'finish')) this.#activity.live();
        else this.#activity.progress(stage, loaded, total, expected);
      },
    );
    speeds.record(backend, model.name, resolution.multiply_adds, drawn.drawing.timing.run_ms);
    return { ...drawn, choice };
  }

  #moveToWasm(reason: string): void {
    const { name } = this.#settings.choice.backend;
    this.#settings.useBackend('wasm');
    this.#settings.explainBackend(`${name} failed (${reason}), so the page went on with wasm. Nothing was lost.`);
  }

  #report(error: U2NetError): void {
    if (error.code === 'cancelled') this.#activity.say('Cancelled. The photo is still here.');
    else {
      this.#activity.say('');
      this.#activity.fail(error);
    }
  }
}

/** One line about a drawing: how it was made, and how long it took. */
export function facts({ drawing, choice: { model, resolution, artifact } }: Made): string {
  const threads = drawing.threads > 1 ? `, ${drawing.threads} threads` : '';
  return `${model.name} ${resolution.side} × ${resolution.side} ${artifact.dtype}, ${formatSeconds(drawing.timing.run_ms)} on ${drawing.backend}${threads}`;
}

import type { Choice, Machine } from '../../lib/choice/choose';
import { paceOf } from '../../lib/choice/speed';
import { misfit } from '../../lib/choice/memory';
import { asU2NetError, isGpuFailure, type U2NetError } from '../../lib/errors';
import type { Said } from '../../lib/messages';
import type { Verdict } from '../../lib/verdict/compare';
import { type Drawn, type OnProgress, WorkerClient } from '../../lib/worker/client';
import { planOf } from '../../lib/worker/plan';
import type { DrawJob } from '../../lib/worker/protocol';
import type { Activity } from '../activity/activity';
import { byId } from '../dom';
import { Settings } from '../settings/settings';
import { Failure, tell, words } from '../words/words';

/** A drawing, and what was chosen when it was begun. */
export interface Made extends Drawn {
  readonly choice: Choice;
}

/** The part of a job that depends on the photo. The rest depends on what is chosen. */
export type Part = Pick<DrawJob, 'photo' | 'size' | 'crop' | 'products'>;

/** Draws photos with the chosen settings, one job at a time. If what computes fails, it continues with another. */
export class Artist {
  readonly #client: WorkerClient;
  readonly #settings: Settings;
  readonly #base: URL;
  readonly #activity: Activity;
  #busy: PromiseWithResolvers<void> | undefined;
  #stop = new AbortController();

  constructor(client: WorkerClient, settings: Settings, base: URL, activity: Activity) {
    this.#client = client;
    this.#settings = settings;
    this.#base = base;
    this.#activity = activity;
    client.onIdleLoss = (error) => this.#moveOn(error);
  }

  /** Settles when the running drawing, or live drawing, is over. It is undefined if no drawing is running. */
  get busy(): Promise<void> | undefined {
    return this.#busy?.promise;
  }

  get #machine(): Machine {
    return this.#settings.machine;
  }

  cancel(): void {
    this.#stop.abort();
    this.#client.cancel();
  }

  /** Why the chosen settings would not fit into memory here, or null if they should. */
  misfit(): Said | null {
    const { model, resolution, backend } = this.#settings.choice;
    return misfit(model, resolution.side, backend, this.#machine.deviceMemory);
  }

  /**
   * Shows the page at work until `work` is over, and what went wrong if it fails. Work of several drawings looks at the signal
   * between them, which is aborted by {@link cancel}.
   */
  async during(work: (stopped: AbortSignal) => Promise<void>): Promise<void> {
    this.#busy = Promise.withResolvers();
    this.#stop = new AbortController();
    document.documentElement.dataset['state'] = 'drawing';
    this.#activity.begin();
    try {
      await work(this.#stop.signal);
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
   * Does as {@link during}, for a row of drawings that a press of `button` begins. It says so if the drawings would not fit into
   * memory, and does nothing while another drawing is running. If the button has the focus, "Cancel" gets it.
   *
   * @returns whether the button had the focus. The caller then gives it to what is shown.
   */
  async inTurn(button: HTMLElement, work: (stopped: AbortSignal) => Promise<void>): Promise<boolean> {
    if (this.busy !== undefined) return false;
    const reason = this.misfit();
    if (reason !== null) {
      this.#activity.fail(new Failure('out-of-memory', () => words.failures.chooseSmaller(tell(reason))));
      return false;
    }
    const hadFocus = document.activeElement === button;
    await this.during(async (stopped) => {
      if (hadFocus) byId('cancel', HTMLButtonElement).focus({ preventScroll: true });
      await work(stopped);
    });
    return hadFocus;
  }

  /**
   * Makes one drawing with the chosen settings. If what computes fails, it draws the same photo again with the next. A
   * failed attempt uses up a live frame: then null is returned, and the next frame is drawn with the next.
   *
   * @param onProgress told how far the drawing is, in place of the result's sheet.
   * @throws U2NetError as {@link WorkerClient.draw} does.
   */
  async draw(part: Part, onProgress?: OnProgress): Promise<Made | null> {
    try {
      return await this.#drawOnce(part, onProgress);
    } catch (cause) {
      const error = asU2NetError(cause);
      if (!isGpuFailure(error) || !this.#moveOn(error)) throw error;
      return part.photo instanceof Blob ? this.draw(part, onProgress) : null;
    }
  }

  /** Checks what computes, even if it was checked before. @throws U2NetError as {@link WorkerClient.check} does. */
  check(): Promise<Verdict> {
    const plan = planOf(this.#settings.choice, this.#base, true);
    return this.#client.check(plan, (stage, loaded, total) => this.#activity.progress(stage, loaded, total, 0));
  }

  async #drawOnce(part: Part, onProgress?: OnProgress): Promise<Made> {
    // Remember the present choice: the person may choose something else while the drawing is running.
    const { choice } = this.#settings;
    const { resolution, backend } = choice;
    const pace = paceOf(choice);
    const { speeds } = this.#machine;
    const live = !(part.photo instanceof Blob);
    const expected = speeds.estimate(backend, pace, resolution.multiply_adds).ms;
    const drawn = await this.#client.draw({ ...planOf(choice, this.#base), ...part }, (stage, loaded, total) => {
      if (onProgress !== undefined) onProgress(stage, loaded, total);
      else if (live && (stage === 'run' || stage === 'finish')) this.#activity.live();
      else this.#activity.progress(stage, loaded, total, expected);
    });
    speeds.record(backend, pace, resolution.multiply_adds, drawn.drawing.timing.run_ms);
    this.#settings.drawn(drawn.drawing.verdict);
    return { ...drawn, choice };
  }

  /** Has something else compute: after wrong results, and from wasm, the best of the others, else wasm. @returns whether there is any. */
  #moveOn({ code, said }: U2NetError): boolean {
    const { name } = this.#settings.choice.backend;
    if (code === 'wrong-results' || name === 'wasm') this.#settings.exclude(name, said);
    else this.#settings.useBackend('wasm', said);
    return this.#settings.choice.backend.name !== name;
  }

  #report(error: U2NetError): void {
    if (error.code === 'cancelled') this.#activity.say(words.talk.cancelled);
    else this.#activity.fail(error);
  }
}

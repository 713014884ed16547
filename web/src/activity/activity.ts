import { U2NetError } from '../../lib/errors';
import { formatBytes, formatSeconds } from '../../lib/format';
import type { Stage } from '../../lib/worker/protocol';
import { byId } from '../dom';

export interface Remedy {
  readonly id: string;
  readonly label: string;
  run(): void;
}

/** What the page is doing, how far it is, and what went wrong. */
export class Activity {
  readonly #run = byId('run', HTMLButtonElement);
  readonly #cancel = byId('cancel', HTMLButtonElement);
  readonly #progress = byId('progress', HTMLProgressElement);
  readonly #text = byId('progress-text', HTMLElement);
  readonly #status = byId('status', HTMLElement);
  readonly #error = byId('error', HTMLElement);
  readonly #errorText = byId('error-text', HTMLElement);
  readonly #errorActions = byId('error-actions', HTMLElement);
  #ticking: number | undefined;

  /** One line that a screen reader reads out. It is for rare changes, not for counters. */
  say(text: string): void {
    if (this.#status.textContent !== text) this.#status.textContent = text;
  }

  begin(): void {
    this.clearError();
    const hadFocus = document.activeElement === this.#run;
    this.#run.hidden = true;
    this.#cancel.hidden = false;
    this.#progress.hidden = false;
    if (hadFocus) this.#cancel.focus();
  }

  end(): void {
    this.#stopTicking();
    const hadFocus = document.activeElement === this.#cancel;
    this.#run.hidden = false;
    this.#cancel.hidden = true;
    this.#progress.hidden = true;
    this.#text.textContent = '';
    if (hadFocus) this.#run.focus();
  }

  /** @param expectedMs how long the run itself should take. */
  progress(stage: Stage, loaded: number, total: number, expectedMs: number): void {
    this.#stopTicking();
    this.#text.textContent = '';
    this.#progress.hidden = false;
    this.#progress.removeAttribute('value');
    switch (stage) {
      case 'download':
        this.say('Loading the model.');
        this.#progress.value = total === 0 ? 0 : loaded / total;
        this.#text.textContent = `${formatBytes(loaded)} of ${formatBytes(total)}`;
        break;
      case 'load':
        this.say('Setting the model up.');
        break;
      case 'warmup':
        this.say('Compiling for this GPU.');
        break;
      case 'run':
        this.say('Drawing.');
        this.#tick(expectedMs);
        break;
      case 'finish':
        this.say('Finishing.');
        break;
    }
  }

  /** Live frames follow each other too fast to report each one. */
  live(): void {
    this.#progress.hidden = true;
    this.#text.textContent = '';
    this.say('Drawing live.');
  }

  /** Says what went wrong, and offers what may help. */
  fail(error: U2NetError, remedies: readonly Remedy[] = []): void {
    this.#errorText.textContent = error.message;
    this.#error.dataset['code'] = error.code;
    this.#errorActions.replaceChildren(
      ...remedies.map((remedy) => {
        const button = document.createElement('button');
        button.type = 'button';
        button.id = remedy.id;
        button.dataset['testid'] = remedy.id;
        button.textContent = remedy.label;
        button.addEventListener('click', () => remedy.run());
        return button;
      }),
    );
    this.#error.hidden = false;
    this.#error.scrollIntoView({ block: 'nearest' });
  }

  clearError(): void {
    this.#error.hidden = true;
    this.#errorText.textContent = '';
    this.#errorActions.replaceChildren();
  }

  /** The network reports no progress while it computes. Elapsed and expected time are shown instead. */
  #tick(expectedMs: number): void {
    const start = performance.now();
    const show = () => {
      const elapsed = performance.now() - start;
      this.#text.textContent = `${(elapsed / 1000).toFixed(1)} s of about ${formatSeconds(expectedMs)}`;
      if (elapsed < expectedMs) this.#progress.value = elapsed / expectedMs;
      else this.#progress.removeAttribute('value');
    };
    show();
    this.#ticking = window.setInterval(show, 100);
  }

  #stopTicking(): void {
    window.clearInterval(this.#ticking);
  }
}

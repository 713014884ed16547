import { U2NetError } from '../../lib/errors';
import type { Stage } from '../../lib/worker/protocol';
import { byId } from '../dom';
import { explain, onLanguage, words, write } from '../words/words';
import { named } from './policy';

export interface Remedy {
  readonly id: string;
  readonly label: () => string;
  run(): void;
}

/** Up to here the sheets lie one below the other. */
const NARROW = '(max-width: 43.99rem)';

/** What the page is doing, how far it is, and what went wrong. Progress is shown on the result's sheet. */
export class Activity {
  readonly #run = byId('run', HTMLButtonElement);
  readonly #cancel = byId('cancel', HTMLButtonElement);
  readonly #work = byId('work', HTMLElement);
  readonly #title = byId('work-title', HTMLElement);
  readonly #progress = byId('progress', HTMLProgressElement);
  readonly #text = byId('progress-text', HTMLElement);
  readonly #status = byId('status', HTMLElement);
  readonly #error = byId('error', HTMLElement);
  readonly #errorText = byId('error-text', HTMLElement);
  readonly #errorActions = byId('error-actions', HTMLElement);
  readonly #sheet = byId('result-sheet', HTMLElement);
  #ticking: number | undefined;

  constructor() {
    // It was said in the language of before.
    onLanguage(() => this.say(''));
  }

  /** One line that a screen reader reads out. It is for rare changes, not for counters. */
  say(text: string): void {
    if (this.#status.textContent !== text) this.#status.textContent = text;
  }

  /** Says that something went well, unless an error is shown beside it. */
  done(text: string): void {
    this.say(this.#error.hidden ? text : '');
  }

  begin(): void {
    this.clearError();
    const hadFocus = document.activeElement === this.#run;
    this.#run.hidden = true;
    this.#cancel.hidden = false;
    this.#work.hidden = false;
    this.#title.textContent = '';
    if (hadFocus) this.#cancel.focus({ preventScroll: true });
    this.look();
  }

  end(): void {
    this.#stopTicking();
    const hadFocus = document.activeElement === this.#cancel;
    this.#run.hidden = false;
    this.#cancel.hidden = true;
    this.#work.hidden = true;
    this.#text.textContent = '';
    if (hadFocus) this.#run.focus({ preventScroll: true });
  }

  /** Brings the result into view, on a phone together with the photo and the button above it. */
  look(): void {
    if (matchMedia(NARROW).matches) document.querySelector('.photo')?.scrollIntoView({ block: 'start' });
    this.#sheet.scrollIntoView({ block: 'nearest' });
  }

  /** @param expectedMs how long the run itself should take. */
  progress(stage: Stage, loaded: number, total: number, expectedMs: number): void {
    this.#stopTicking();
    this.#text.textContent = '';
    this.#work.hidden = false;
    this.#progress.removeAttribute('value');
    this.say(words.talk.stages[stage]);
    this.#title.textContent = words.talk.stages[stage];
    if (stage === 'download' || stage === 'engine') {
      this.#progress.value = total === 0 ? 0 : loaded / total;
      this.#text.textContent = words.talk.received(loaded, total);
    }
    if (stage === 'run') this.#tick(expectedMs);
  }

  /** Live frames follow each other too fast to report each one. */
  live(): void {
    this.#work.hidden = true;
    this.#text.textContent = '';
    this.say(words.talk.drawingLive);
  }

  /** Says what went wrong, and offers what may help. What went well before is not said any more. */
  fail(error: U2NetError, remedies: readonly Remedy[] = []): void {
    const cause = named(error);
    this.say('');
    write(this.#errorText, () => explain(cause));
    this.#error.dataset['code'] = cause.code;
    this.#errorActions.replaceChildren(
      ...remedies.map((remedy) => {
        const button = document.createElement('button');
        button.type = 'button';
        button.id = remedy.id;
        button.dataset['testid'] = remedy.id;
        write(button, remedy.label);
        button.addEventListener('click', () => remedy.run());
        return button;
      }),
    );
    this.#error.hidden = false;
    this.#error.scrollIntoView({ block: 'nearest' });
  }

  clearError(): void {
    this.#error.hidden = true;
    write(this.#errorText, () => '');
    this.#errorActions.replaceChildren();
  }

  /** The network reports no progress while it computes. Elapsed and expected time are shown instead. */
  #tick(expectedMs: number): void {
    const start = performance.now();
    const show = () => {
      const passed = performance.now() - start;
      this.#text.textContent = words.talk.elapsed(passed, expectedMs);
      if (passed < expectedMs) this.#progress.value = passed / expectedMs;
      else this.#progress.removeAttribute('value');
    };
    show();
    this.#ticking = window.setInterval(show, 100);
  }

  #stopTicking(): void {
    window.clearInterval(this.#ticking);
  }
}

import type { Stage } from '../../lib/worker/protocol';
import { loading } from '../activity/words';
import { byId } from '../dom';
import { words, write } from '../words/words';

/** How far a row of photos is, and how long the rest should take. */
export class Progress {
  readonly #bar = byId('many-progress', HTMLProgressElement);
  readonly #turn = byId('many-turn', HTMLElement);
  #all = 0;
  #number = 0;
  /** When the first photo was drawn. It is left out of the estimate, because the model comes with it. */
  #since = 0;

  reset(): void {
    this.#bar.hidden = true;
    write(this.#turn, () => '');
  }

  begin(all: number): void {
    [this.#all, this.#number] = [all, 0];
    this.#bar.value = 0;
    this.#bar.hidden = false;
  }

  /** The next photo begins. */
  next(): void {
    if (++this.#number === 2) this.#since = performance.now();
    this.#bar.value = (this.#number - 1) / this.#all;
    this.#say();
  }

  /** Says what is downloaded before the first photo. */
  stage(stage: Stage, loaded: number, total: number): void {
    if (stage === 'download' || stage === 'engine') write(this.#turn, () => loading(stage, loaded, total));
    else this.#say();
  }

  #say(): void {
    const measured = this.#number - 2;
    const left = measured < 1 ? null : ((performance.now() - this.#since) / measured) * (this.#all - this.#number + 1);
    const [number, all] = [Math.min(this.#number, this.#all), this.#all];
    write(this.#turn, () => words.many.turn(number, all, left));
  }
}

/** The words about what the page is doing. */
import type { Stage } from '../../lib/worker/protocol';
import { words } from '../words/words';

/** "Loading the model. 0.5 MB of 1.3 MB" */
export function loading(stage: Stage, loaded: number, total: number): string {
  return words.talk.sentences([words.talk.stages[stage], words.talk.received(loaded, total)]);
}

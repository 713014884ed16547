/** The words about a drawing. */
import { onProcessor } from '../../lib/engines/backends';
import { words } from '../words/words';
import type { Made } from './artist';

/** "Drawn in 0.4 s on your processor." */
export function facts({ drawing, choice }: Made): string {
  return words.talk.drawn(drawing.timing.run_ms, onProcessor(choice.backend.name));
}

/** The same for those who want figures. */
export function figures({ drawing, choice: { model, resolution, artifact } }: Made): string {
  const { talk } = words;
  const { timing, backend, threads, bytes_fetched } = drawing;
  const used = threads > 1 ? `${backend}, ${talk.threads(threads)}` : backend;
  const fetched = bytes_fetched === 0 ? '' : talk.fetched(bytes_fetched);
  const what = `${model.name} ${resolution.side} × ${resolution.side} ${artifact.dtype}`;
  return talk.sentence(`${talk.lastDrawing(what, timing.run_ms, used)}${fetched}`);
}

/** The words about a drawing. */
import { formatSeconds } from '../../lib/format';
import { placeOf } from '../settings/words';
import type { Made } from './artist';

/** "Drawn in 0.4 s on your processor." */
export function facts({ drawing, choice }: Made): string {
  return `Drawn in ${formatSeconds(drawing.timing.run_ms)} on ${placeOf(choice.backend)}.`;
}

/** The same for those who want figures. */
export function figures({ drawing, choice: { model, resolution, artifact } }: Made): string {
  const { timing, backend, threads, bytes_fetched } = drawing;
  const used = threads > 1 ? `${backend}, ${threads} threads` : backend;
  const fetched = bytes_fetched === 0 ? '' : `, ${bytes_fetched} bytes of the model fetched`;
  return `Last drawing: ${model.name} ${resolution.side} × ${resolution.side} ${artifact.dtype}, ${formatSeconds(timing.run_ms)} on ${used}${fetched}.`;
}

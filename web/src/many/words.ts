/** The words about many photos. */
import { asU2NetError } from '../../lib/errors';
import { formatSeconds } from '../../lib/format';
import { explain } from '../words/words';

export const EMPTY_FOLDER = 'There is no file in this folder. Drop one that has photos in it.';
export const DOWNLOAD_ALL = 'Download all (ZIP)';
export const CLOSE = 'Close';
export const FAILED = 'not drawn';
export const NO_FACES = 'Faces could not be looked for, so these photos were framed in their middle.';

export function unreadableFolder(name: string): string {
  return `The folder ${name} cannot be read. Drop its photos instead.`;
}

/** The heading: "20 photos". */
export function title(photos: number): string {
  return `${photos} photos`;
}

/** "7 of 20 drawn, 1 could not be." */
export function count(drawn: number, failed: number, all: number): string {
  return `${drawn} of ${all} drawn${failed > 0 ? `, ${failed} could not be` : ''}.`;
}

/** "Photo 8 of 20, about 12 s left." */
export function turn(number: number, all: number, leftMs: number | null): string {
  return `Photo ${number} of ${all}${leftMs === null ? '' : `, about ${formatSeconds(leftMs)} left`}.`;
}

/** The button that draws what is not drawn yet, or not with the present settings. */
export function drawLabel(left: number, all: number): string {
  if (left === all) return `Draw all ${all}`;
  return left === 1 ? 'Draw the last one' : `Draw the other ${left}`;
}

export function back(photos: number): string {
  return `Back to the ${photos} photos`;
}

export function begun(photos: number): string {
  return `Drawing ${photos} photos.`;
}

export function stopped(drawn: number, all: number): string {
  return `Cancelled. ${drawn} of ${all} photos are drawn.`;
}

export function openLabel(name: string): string {
  return `Open ${name}`;
}

/** Why a file was not drawn. Its name comes first. */
export function failure(name: string, isVideo: boolean, cause: unknown): string {
  const error = asU2NetError(cause);
  const { code } = error;
  const message = explain(error);
  if (isVideo) return `${name} is a video. Open it alone to draw it.`;
  if (code === 'photo-unreadable') return `${name} cannot be read as an image here.`;
  return message.startsWith(name) ? message : `${name}: ${message}`;
}

export function misfit(reason: string): string {
  return `${reason}. Choose your processor or a smaller resolution under "Advanced".`;
}

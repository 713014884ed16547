import { numbersIn } from '../numbers';
import type { Words } from '../words';

const { bytes, seconds } = numbersIn('de', { seconds: ' s', minutes: ' min' });

export const video: Words['video'] = {
  cancelled: 'Abgebrochen. Das Video ist noch da.',
  done: 'Das Video ist gezeichnet.',
  silent: 'Der Ton fehlt, weil dieser Browser ihn nicht schreiben kann.',
  facts: (length, width, height, pictures, ms) =>
    `${seconds(length)} mit ${width} × ${height} Pixeln: ${pictures} Bilder. Das Zeichnen dauert etwa ${seconds(ms)}.`,
  turn: (number, all, left) => `Bild ${number} von etwa ${all}${left === null ? '' : `, noch etwa ${seconds(left)}`}.`,
  made: (pictures, size) => `${pictures} Bilder, ${bytes(size)}.`,
};

/** What the page says about videos, in English. Times are in milliseconds. */
import { numbersIn } from '../numbers';

const { bytes, seconds } = numbersIn('en', { seconds: ' s', minutes: ' min' });

export const video = {
  cancelled: 'Cancelled. The video is still here.',
  done: 'The video is drawn.',
  silent: 'Its sound is left out, because this browser cannot write it.',
  /** "3.0 s of 640 × 480 pixels: 36 pictures, about 12 s to draw." */
  facts: (length: number, width: number, height: number, pictures: number, ms: number) =>
    `${seconds(length)} of ${width} × ${height} pixels: ${pictures} pictures, about ${seconds(ms)} to draw.`,
  /** "Picture 7 of about 36, about 9 s left." */
  turn: (number: number, all: number, left: number | null) =>
    `Picture ${number} of about ${all}${left === null ? '' : `, about ${seconds(left)} left`}.`,
  /** "36 pictures, 0.4 MB." */
  made: (pictures: number, size: number) => `${pictures} pictures, ${bytes(size)}.`,
};

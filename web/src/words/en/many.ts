/** What the page says about many photos, in English. Times are in milliseconds. */
import { numbersIn } from '../numbers';

const { seconds } = numbersIn('en', { seconds: ' s', minutes: ' min' });

export const many = {
  title: (photos: number) => `${photos} photos`,
  back: (photos: number) => `Back to the ${photos} photos`,
  /** The button that draws what is not drawn yet, or not with the present settings. */
  draw: (left: number, all: number) => {
    if (left === all) return `Draw all ${all}`;
    return left === 1 ? 'Draw the last one' : `Draw the other ${left}`;
  },
  /** "7 of 20 drawn, 1 could not be." */
  count: (drawn: number, failed: number, all: number) =>
    `${drawn} of ${all} drawn${failed > 0 ? `, ${failed} could not be` : ''}.`,
  /** "Photo 8 of 20, about 12 s left." */
  turn: (number: number, all: number, left: number | null) =>
    `Photo ${number} of ${all}${left === null ? '' : `, about ${seconds(left)} left`}.`,
  begun: (photos: number) => (photos === 1 ? 'Drawing 1 photo.' : `Drawing ${photos} photos.`),
  stopped: (drawn: number, all: number) => `Cancelled. ${drawn} of ${all} photos are drawn.`,
  open: (name: string) => `Open ${name}`,
  notDrawn: 'not drawn',
  noFaces: 'Faces could not be looked for, so these photos were framed in their middle.',
  isVideo: (name: string) => `${name} is a video. Open it alone to draw it.`,
  isNoImage: (name: string) => `${name} cannot be read as an image here.`,
  failed: (name: string, reason: string) => `${name}: ${reason}`,
};

/** What the page says while it works, in English. */
import type { Stage } from '../../../lib/worker/protocol';
import type { Fidelity } from '../../../lib/choice/choose';
import type { Task } from '../../../lib/site/catalogue';
import { numbersIn } from '../numbers';

const { bytes, seconds, fixed } = numbersIn('en', { seconds: ' s', minutes: ' min' });

const products: Record<Task, string> = {
  portrait: 'Pencil portraits',
  drawing: 'Pencil portraits',
  saliency: 'Cut-outs',
};
/** Names of the samples in other languages than the catalogue's. */
const samples: Record<string, string> = {};
const stages: Record<Stage, string> = {
  engine: 'Loading what computes.',
  download: 'Loading the model.',
  load: 'Setting the model up.',
  warmup: 'Compiling for your graphics chip.',
  check: 'Checking this device.',
  run: 'Drawing.',
  finish: 'Finishing.',
};
const fidelity: Record<Fidelity, string> = {
  'same to the eye': 'Same to the eye',
  'slightly different': 'Slightly different',
  'visibly different': 'Visibly different',
};

/** What the models make, as one phrase: "Pencil portraits and cut-outs". */
const offer = ([first, ...others]: readonly string[]) =>
  [first, ...others.map((product) => product.toLowerCase())].join(' and ');

export const talk = {
  title: (made: readonly string[]) => `${offer(made)} in your browser · Atelier`,
  tagline: (made: readonly string[]) => `${offer(made)} from your photos, made on this device. No photo leaves it.`,
  products,
  cutOut: 'Cut out',
  samples,
  samplePhoto: (name: string) => `Sample photo: ${name}`,
  sampleCredits: (credits: readonly string[]) => `Sample photos: ${credits.join('; ')}.`,
  /** One or more sentences, one behind the other. */
  sentences: (sentences: readonly string[]) => sentences.join(' '),
  /** A reason as a sentence of its own. */
  sentence: (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, '')}.`,

  ready: 'Ready.',
  done: 'Done.',
  checked: 'Checked.',
  copied: 'Copied.',
  cancelled: 'Cancelled. The photo is still here.',
  fetching: (name: string) => `Loading ${name}.`,
  photoOpened: 'Photo opened.',
  photoScaled: (from: string, to: string) =>
    `A photo of ${from} pixels is more than can be drawn: it is worked on at ${to}.`,
  facesFailed: (reason: string) => `Faces could not be looked for: ${reason}`,
  stages,
  received: (loaded: number, total: number) => `${bytes(loaded)} of ${bytes(total)}`,
  elapsed: (ms: number, expected: number) => `${fixed(ms / 1000, 1)} s of about ${seconds(expected)}`,
  frame: (size: string) => `${size} pixels`,
  frameAt: (size: string, x: number, y: number) => `${size} pixels from ${x}, ${y}`,
  nextFace: (face: number, faces: number) => `Next face (${face} of ${faces})`,
  zoomLevel: (zoom: number) => `${fixed(zoom, 1)} ×`,
  drawFace: (face: number, faces: number) => `Draw face ${face} of ${faces}`,

  cameraOn: 'The camera is on.',
  drawingLive: 'Drawing live.',
  rate: (rate: number, size: string) => `${fixed(rate, 1)} frames a second at ${size}.`,
  liveDoesNotFit:
    'Live drawing does not fit into graphics memory here. Choose a smaller resolution, or take the photo.',
  liveTooSlow: (limit: number, took: number) =>
    `Live drawing would need a frame in ${seconds(limit)}, and one takes ${seconds(took)} here. Choose a smaller resolution, or take the photo.`,

  drawn: (ms: number, onProcessor: boolean) =>
    `Drawn in ${seconds(ms)} on ${onProcessor ? 'your processor' : 'your graphics chip'}.`,
  lastDrawing: (what: string, ms: number, backend: string) => `Last drawing: ${what}, ${seconds(ms)} on ${backend}`,
  fetched: (count: number) => `, ${count} bytes of the model fetched`,
  threads: (count: number) => `${count} threads`,

  processor: 'Your processor',
  graphicsChip: 'Your graphics chip',
  fast: (onProcessor: boolean) => `Fast, on ${onProcessor ? 'your processor' : 'your graphics chip'}.`,
  medium: (onProcessor: boolean, ms: number) =>
    `A few seconds a picture, on ${onProcessor ? 'your processor' : 'your graphics chip'}: about ${seconds(ms)}.`,
  slow: (onProcessor: boolean, ms: number) =>
    `Slow, on ${onProcessor ? 'your processor' : 'your graphics chip'}: about ${seconds(ms)}.`,
  about: (ms: number) => `about ${seconds(ms)}`,
  bytes,
  fixed,
  notHere: 'not here',
  experimental: 'experimental',
  experimentalNote: (size: string) =>
    `Experimental: the model was made for ${size}. Larger, it may miss parts of the photo or draw what is not there, and it takes longer.`,
  mayNotFit: 'May not fit into graphics memory.',
  timeMeasured: 'Time from your last drawing.',
  timeEstimated: 'Time estimated, until you have drawn once.',
  fidelity,
  weights: (model: string, millions: number, seen: string, decibels: number) =>
    `${model}: ${fixed(millions, 1)} million weights. ${seen}, ${decibels} dB from PyTorch.`,
  imitated: (device: string) => `${device}: a graphics chip imitated in software, slower than the processor.`,
  oneThreadHeaders:
    'Your processor, on one thread: the server does not send the headers (COOP and COEP) that threads need.',
  oneThread: 'Your processor, on one thread: this browser or machine offers no more.',
  wentOn: (from: string, reason: string, to: string) =>
    `${from} failed: ${reason.replace(/\.$/, '')}. The page went on with ${to.charAt(0).toLowerCase()}${to.slice(1)}. Nothing was lost.`,
  download: (all: number) => `${bytes(all)} to download first. Then they are kept.`,
  downloads: (model: number, engine: number) =>
    `${bytes(model + engine)} to download first: ${bytes(model)} for the model, ${bytes(engine)} for what computes it. Then they are kept.`,
  processorUnchecked: 'Processors compute the same everywhere, so yours was not checked.',
  chipUnchecked: 'This graphics chip was not checked yet.',
  wrong: (distance: string | null) => `This device computes wrong results: ${distance ?? 'no numbers'} from PyTorch.`,
  verified: (distance: string, ms: number) =>
    `Verified on this device: at most ${distance} from PyTorch (three drawings, ${seconds(ms)}).`,
  licence: (model: string, licence: string) => `${model}: ${licence}.`,
};

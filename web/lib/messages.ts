/**
 * What may go wrong, in English. A page in another language translates it: a worker and the library hand over which
 * message it is and what is put into it, beside the English text.
 */
import { formatBytes } from './format';

export const MESSAGES = {
  /** The words of a browser, a driver or an engine, as they are. */
  verbatim: (text: string) => text,
  outOfMemory: (reason: string) =>
    `There was not enough memory for this drawing (${reason}). Choose a smaller resolution or a smaller crop, and draw again.`,
  drawingFailed: (reason: string) =>
    `The drawing failed: ${reason}. Try again; if it fails again, choose another backend.`,
  cancelled: () => 'Cancelled.',
  workerStopped: (reason: string) => `The worker stopped (${reason}). Reload the page and try again.`,
  workerMissing: () =>
    "The worker's code could not be loaded. Reload the page and try again. If this page is on another origin than the " +
    "site, the site must allow this origin (CORS), and this page's policy must allow scripts and workers from the site, and workers from blob:.",
  protocolDiffers: () =>
    'The library is older or newer than the site. Use the library of that site: its lib/u2net.js, or the package that was built with it.',
  photoUnreadable: (name: string) =>
    `${name} cannot be read as an image here. Choose a JPEG, PNG, WebP or AVIF file.`,
  fileUnreadable: () => 'This file cannot be read as an image here. Choose a JPEG, PNG, WebP or AVIF file.',
  photoTooLarge: (name: string, width: number, height: number) =>
    `${name} has ${width} × ${height} pixels, too many to be opened here. Save it at most 14,000 pixels wide and high, and open that.`,
  serverAnswered: (status: number) => `the server answered ${status}`,
  serverSentNothing: () => 'the server sent nothing',
  aFile: () => 'a file',
  partOf: (part: number, parts: number) => `part ${part} of ${parts}`,
  downloadStopped: (part: string, reason: string) =>
    `The download stopped at ${part} (${reason}). Check the connection and draw again: what has arrived is kept.`,
  damaged: (part: string) =>
    `Of the model or its engine, ${part} arrived damaged and was refused (its SHA-256 is not the catalogue's). Draw again to fetch it once more. ` +
    'If it is refused again, the copy on the server is damaged, and its owner has to upload the site again.',
  catalogueMissing: (address: string, reason: string) =>
    `The list of models, ${address}, could not be loaded (${reason}). Check the connection and reload the page. If it stays so, its owner has to upload the site again.`,
  catalogueInvalid: (path: string, expected: string) =>
    `The site's catalogue.json is not valid: ${path} should be ${expected}. Its owner has to build the site again.`,
  modelInvalid: (file: string, reason: string) =>
    `${file} cannot be used: ${reason}. Choose another resolution or precision. The owner of this site has to convert this one again.`,
  noDrawing: () => 'This model gives no usable drawing. Choose another resolution or precision.',
  backendNotStarted: (backend: string, reason: string) =>
    `${backend} could not be started here (${reason}). Choose another backend.`,
  litertFailed: (reason: string) =>
    `LiteRT cannot compute this here (${reason}). Choose a smaller resolution, or TensorFlow.js as the backend.`,
  litertInPart: () => 'LiteRT cannot run all of this model on this GPU',
  noNumbers: () => 'the GPU gave no usable numbers',
  webglLost: () => 'the WebGL context was lost',
  webglError: (error: number) => `WebGL reported error ${error}`,
  wrongResults: (backend: string, distance: string) =>
    `This device's graphics chip computes wrong results with ${backend} (${distance} away from the right result). Choose another under Advanced.`,
  wrongValues: (backend: string) =>
    `This device's graphics chip computes wrong results with ${backend} (values that are no numbers). Choose another under Advanced.`,
  noWebgpu: () => 'this browser offers no WebGPU',
  noWebgl: () => 'this browser offers no WebGL 2 to a worker',
  noFloats: () => 'this GPU cannot compute in 32-bit floating point',
  noWasm: () => 'this browser runs no WebAssembly',
  notHeld: (model: string, engine: string) => `this site does not hold ${model} for ${engine}`,
  pieceTooLarge: (backend: string, bytes: number, side: number) =>
    `${backend} here takes at most ${formatBytes(bytes)} in one piece, too little for ${side} × ${side}`,
  memoryTooSmall: (model: string, side: number, needed: number, budget: number) =>
    `${model} at ${side} × ${side} needs about ${formatBytes(needed)} of graphics memory, and about ${formatBytes(budget)} can be counted on here`,
  litertTooSmall: (model: string, side: number, needed: number, room: number) =>
    `${model} at ${side} × ${side} needs about ${formatBytes(needed)} with LiteRT, which has room for ${formatBytes(room)}`,
  facesStopped: (reason: string) => `The search for faces stopped (${reason}).`,
  facesEnded: () => 'The search for faces was ended.',
  codeMissing: () => 'its code could not be loaded',
};

export type Messages = typeof MESSAGES;
export type MessageName = keyof Messages;
/** What is put into a message. A reason may be a message, too. */
type Value = string | number | Said;
type Values<Given extends readonly unknown[]> = { [Index in keyof Given]: Given[Index] | Said };

/** A message by its name, with what is put into it. It is plain data, so that a worker can send it. */
export interface Said {
  readonly name: MessageName;
  readonly values: readonly Value[];
}

export function said<Name extends MessageName>(name: Name, ...values: Values<Parameters<Messages[Name]>>): Said {
  return { name, values: values as readonly Value[] };
}

/** A message as text, in English unless other messages are given. */
export function textOf({ name, values }: Said, messages: Messages = MESSAGES): string {
  const write = messages[name] as (...values: (string | number)[]) => string;
  return write(...values.map((value) => (typeof value === 'object' ? textOf(value, messages) : value)));
}

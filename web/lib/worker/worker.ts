/** The worker that does all heavy work: decoding, resizing, TensorFlow.js or LiteRT, encoding. One job at a time. */
import { onProcessor } from '../engines/backends';
import { probe } from '../engines/probe';
import type { Network, Runtime } from '../engines/runtime';
import { startRuntime } from '../engines/start';
import { asU2NetError, U2NetError } from '../errors';
import { decodeCrop } from '../pixels/decode_crop';
import { cutOut, greyToRgba, postprocess } from '../pixels/postprocess';
import { preprocess } from '../pixels/preprocess';
import { FileStore } from '../site/file_store';
import type { Drawing, DrawJob, PngFiles, Reply, Request, Stage } from './protocol';

declare const self: DedicatedWorkerGlobalScope;

let runtime: Runtime | undefined;
/** The network in use. Another network replaces it, so that memory holds only one. */
let loaded: { readonly sha256: string; readonly network: Network } | undefined;

self.addEventListener('message', (event: MessageEvent<Request>) => {
  const request = event.data;
  switch (request.type) {
    case 'probe':
      void probe().then((backends) => reply({ type: 'probed', backends }), fail);
      break;
    case 'draw':
      void draw(request.id, request.job).catch(fail);
      break;
    case 'lose-context':
      runtime?.loseContext();
      break;
  }
});

async function draw(id: number, job: DrawJob): Promise<void> {
  if (runtime === undefined) progress('load');
  runtime ??= await startRuntime(job.backend, job.threads, (reason) => reply({ type: 'context-lost', reason }));
  const timer = new Stopwatch();
  const { network, fetched, ...modelTiming } = await ensureLoaded(job, runtime, timer);

  progress('run');
  timer.restart();
  const { width, height } = job.crop;
  const pixels = await decodeCrop(job.photo, job.size, job.crop, 'stored');
  const decode_ms = timer.restart();
  const input = preprocess(pixels.data, width, height, job.resolution);
  const preprocess_ms = timer.restart();
  const d0 = await guard(runtime, () => network.run(input));
  const run_ms = timer.restart();
  runtime.check();
  if (!d0.every(Number.isFinite)) throw notFinite(job);

  progress('finish');
  const grey = postprocess(d0, job.resolution, job.task, width, height);
  const picture = new ImageData(greyToRgba(grey), width, height);
  // People see the cut-out, not the network. So it has the colours that the browser shows.
  const shown = job.preview ? null : await decodeCrop(job.photo, job.size, job.crop, 'shown');
  const cut = shown !== null && job.task === 'saliency' ? new ImageData(cutOut(shown.data, grey), width, height) : null;
  const drawing: Drawing = {
    d0,
    picture: await createImageBitmap(picture),
    cutOut: cut && (await createImageBitmap(cut)),
    photo: shown && (await createImageBitmap(shown)),
    timing: { ...modelTiming, decode_ms, preprocess_ms, run_ms, postprocess_ms: timer.restart() },
    backend: runtime.name,
    threads: runtime.threads,
    tensors: runtime.tensors(),
    bytes_fetched: fetched,
  };
  if (job.photo instanceof ImageBitmap) job.photo.close();
  const bitmaps = [drawing.picture, drawing.cutOut, drawing.photo].filter((bitmap) => bitmap !== null);
  self.postMessage({ type: 'drawing', drawing } satisfies Reply, [d0.buffer, ...bitmaps]);
  // For a large photo, encoding takes longer than drawing. So it starts once the drawing is on the screen.
  if (!job.preview) reply({ type: 'files', id, files: await encode(picture, cut) });
}

async function ensureLoaded(job: DrawJob, runtime: Runtime, timer: Stopwatch) {
  const { sha256 } = job.artifact.model;
  if (loaded?.sha256 === sha256) {
    return { network: loaded.network, fetched: 0, download_ms: 0, load_ms: 0, warmup_ms: 0 };
  }
  const base = new URL(job.base);
  timer.restart();
  const files = await runtime.read(new FileStore(base), base, job.artifact, ({ loaded, total }) =>
    progress('download', loaded, total),
  );
  const download_ms = timer.restart();
  progress('load');
  loaded?.network.dispose();
  loaded = undefined;
  const network = await guard(runtime, () => files.load(job.resolution));
  const load_ms = timer.restart();
  progress('warmup');
  await guard(runtime, () => network.warmUp());
  const warmup_ms = onProcessor(runtime.name) ? 0 : timer.restart();
  loaded = { sha256, network };
  return { network, fetched: files.fetched, download_ms, load_ms, warmup_ms };
}

/**
 * Treats every error while a GPU computes as the GPU's failure, because a lost device shows itself in many ways. wasm
 * may still succeed.
 */
async function guard<T>(runtime: Runtime, compute: () => Promise<T>): Promise<T> {
  try {
    return await compute();
  } catch (cause) {
    if (onProcessor(runtime.name) || cause instanceof U2NetError) throw cause;
    throw new U2NetError('context-lost', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

async function encode(picture: ImageData, cut: ImageData | null): Promise<PngFiles> {
  return { picture: await toPng(picture), cutOut: cut && (await toPng(cut)) };
}

async function toPng(image: ImageData): Promise<Blob> {
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new RangeError(`no canvas of ${image.width} × ${image.height} pixels`);
  context.putImageData(image, 0, 0);
  return canvas.convertToBlob({ type: 'image/png' });
}

/**
 * NaN and infinity come from a GPU that is out of memory or too imprecise for the network. On the processor, only a
 * broken model gives them.
 */
function notFinite(job: DrawJob): U2NetError {
  return onProcessor(job.backend)
    ? new U2NetError('model-invalid', 'This model gives no usable drawing. Choose another resolution or precision.')
    : new U2NetError('context-lost', 'the GPU gave no usable numbers');
}

function progress(stage: Stage, loaded = 0, total = 0): void {
  reply({ type: 'progress', stage, loaded, total });
}

function fail(cause: unknown): void {
  const { code, message } = asU2NetError(cause);
  reply(code === 'context-lost' ? { type: 'context-lost', reason: message } : { type: 'failed', code, message });
}

function reply(message: Reply): void {
  self.postMessage(message);
}

class Stopwatch {
  #start = performance.now();

  /** Milliseconds since the last restart. */
  restart(): number {
    const now = performance.now();
    const elapsed = now - this.#start;
    this.#start = now;
    return elapsed;
  }
}

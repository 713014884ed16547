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
import {
  type Drawing,
  type DrawJob,
  type LoadTiming,
  type Plan,
  type PngFiles,
  PROTOCOL,
  type Reply,
  type Request,
  type Stage,
} from './protocol';

declare const self: DedicatedWorkerGlobalScope;

let started: Runtime | undefined;
/** The network in use. Another network replaces it, so that memory holds only one. */
let loaded: { readonly sha256: string; readonly network: Network } | undefined;

self.addEventListener('message', (event: MessageEvent<Request>) => {
  const request = event.data;
  switch (request.type) {
    case 'probe':
      void probe().then((backends) => reply({ type: 'probed', protocol: PROTOCOL, backends }), fail);
      break;
    case 'load':
      void load(request.plan).then((timing) => reply({ type: 'loaded', timing }), fail);
      break;
    case 'draw':
      void draw(request.id, request.job).catch(fail);
      break;
    case 'lose-context':
      started?.loseContext();
      break;
  }
});

async function load(plan: Plan): Promise<LoadTiming> {
  const { network: _, fetched: __, ...timing } = await ensureLoaded(plan, await ensureStarted(plan), new Stopwatch());
  return timing;
}

async function draw(id: number, job: DrawJob): Promise<void> {
  const runtime = await ensureStarted(job);
  const timer = new Stopwatch();
  const { network, fetched, ...modelTiming } = await ensureLoaded(job, runtime, timer);
  const { products } = job;

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
  const grey = products.length > 0 ? postprocess(d0, job.resolution, job.task, width, height) : null;
  const picture = grey && products.includes('picture') ? new ImageData(greyToRgba(grey), width, height) : null;
  const cuts = job.task === 'saliency' && products.includes('cut-out');
  // People see the cut-out, not the network. So it has the colours that the browser shows.
  const shown = cuts || products.includes('photo') ? await decodeCrop(job.photo, job.size, job.crop, 'shown') : null;
  const cut = grey && shown && cuts ? new ImageData(cutOut(shown.data, grey), width, height) : null;
  const drawing: Drawing = {
    d0,
    picture: picture && (await createImageBitmap(picture)),
    cutOut: cut && (await createImageBitmap(cut)),
    photo: shown && products.includes('photo') ? await createImageBitmap(shown) : null,
    timing: { ...modelTiming, decode_ms, preprocess_ms, run_ms, postprocess_ms: timer.restart() },
    backend: runtime.name,
    threads: runtime.threads,
    tensors: runtime.tensors(),
    bytes_fetched: fetched,
  };
  if (!(job.photo instanceof Blob)) job.photo.close();
  const bitmaps = [drawing.picture, drawing.cutOut, drawing.photo].filter((bitmap) => bitmap !== null);
  self.postMessage({ type: 'drawing', drawing } satisfies Reply, [d0.buffer, ...bitmaps]);
  // For a large photo, encoding takes longer than drawing. So it starts once the drawing is on the screen.
  if (picture && products.includes('png')) reply({ type: 'files', id, files: await encode(picture, cut) });
}

async function ensureStarted(plan: Plan): Promise<Runtime> {
  if (started === undefined) progress('load');
  started ??= await startRuntime(plan.backend, plan.threads, (reason) => reply({ type: 'context-lost', reason }));
  return started;
}

async function ensureLoaded(plan: Plan, runtime: Runtime, timer: Stopwatch) {
  const { sha256 } = plan.artifact.model;
  if (loaded?.sha256 === sha256) {
    return { network: loaded.network, fetched: 0, download_ms: 0, load_ms: 0, warmup_ms: 0 };
  }
  const base = new URL(plan.base);
  timer.restart();
  const files = await runtime.read(new FileStore(base), base, plan.artifact, ({ loaded, total }) =>
    progress('download', loaded, total),
  );
  const download_ms = timer.restart();
  progress('load');
  loaded?.network.dispose();
  loaded = undefined;
  const network = await guard(runtime, () => files.load(plan.resolution));
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

/** The worker that does all heavy work: decoding, resizing, TensorFlow.js or LiteRT, encoding. One job at a time. */
import { onProcessor } from '../engines/backends';
import { probe } from '../engines/probe';
import type { Network, Runtime } from '../engines/runtime';
import { startRuntime } from '../engines/start';
import { asU2NetError, reasonOf, U2NetError } from '../errors';
import { said } from '../messages';
import { decodeCrop } from '../pixels/decode_crop';
import { cutOut, greyToRgba, pictureSize, postprocess } from '../pixels/postprocess';
import { preprocess } from '../pixels/preprocess';
import { FileStore } from '../site/file_store';
import { type Check, Verdicts, wrongResults } from '../verdict/check';
import { judge, type Verdict } from '../verdict/compare';
import { readProbe } from '../verdict/probe';
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
/** What the last check found. */
let checked: { readonly check: string; readonly verdict: Verdict } | undefined;
/** Bytes that came over the network since the last drawing. */
let arrived = 0;

self.addEventListener('message', (event: MessageEvent<Request>) => {
  const request = event.data;
  switch (request.type) {
    case 'probe':
      void probe().then((backends) => reply({ type: 'probed', protocol: PROTOCOL, backends }), fail);
      break;
    case 'load':
      void load(request.plan).then((timing) => reply({ type: 'loaded', timing }), fail);
      break;
    case 'check':
      void recheck(request.plan).then((verdict) => reply({ type: 'checked', verdict }), fail);
      break;
    case 'draw':
      void draw(request.id, request.job).catch(fail);
      break;
    case 'lose-context':
      started?.loseContext();
      break;
  }
});

self.addEventListener('securitypolicyviolation', (event) => {
  // TypeScript's types for workers leave this event out.
  const { effectiveDirective, blockedURI } = event as Event & Record<'effectiveDirective' | 'blockedURI', string>;
  reply({ type: 'refused', directive: effectiveDirective, blocked: blockedURI });
});

async function load(plan: Plan): Promise<LoadTiming> {
  await ensureChecked(plan);
  const { network: _, ...timing } = await ensureLoaded(plan, await ensureStarted(plan), new Stopwatch());
  return timing;
}

async function draw(id: number, job: DrawJob): Promise<void> {
  const verdict = await ensureChecked(job);
  const runtime = await ensureStarted(job);
  const timer = new Stopwatch();
  const { network, ...modelTiming } = await ensureLoaded(job, runtime, timer);
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
  const sized = pictureSize(job.crop, job.resolution, job.task);
  const grey = products.length > 0 ? postprocess(d0, job.resolution, job.task, sized.width, sized.height) : null;
  const picture =
    grey && products.includes('picture') ? new ImageData(greyToRgba(grey), sized.width, sized.height) : null;
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
    verdict,
    tensors: runtime.tensors(),
    bytes_fetched: arrived,
  };
  arrived = 0;
  if (!(job.photo instanceof Blob)) job.photo.close();
  const bitmaps = [drawing.picture, drawing.cutOut, drawing.photo].filter((bitmap) => bitmap !== null);
  self.postMessage({ type: 'drawing', drawing } satisfies Reply, [d0.buffer, ...bitmaps]);
  // For a large photo, encoding takes longer than drawing. So it starts once the drawing is on the screen.
  if ((picture || cut) && products.includes('png')) reply({ type: 'files', id, files: await encode(picture, cut) });
}

/** Checks the backend unless this was done before. @throws U2NetError `wrong-results` if it failed, then or now. */
async function ensureChecked(plan: Plan): Promise<Verdict | null> {
  const { check } = plan;
  if (check === null) return null;
  const key = JSON.stringify(check);
  if (checked?.check !== key) {
    const verdict = await new Verdicts(new URL(plan.base)).get(plan.backend, check);
    checked = { check: key, verdict: verdict ?? (await runCheck(plan, check)) };
  }
  if (!checked.verdict.passed) throw wrongResults(plan.backend, checked.verdict);
  return checked.verdict;
}

async function recheck(plan: Plan): Promise<Verdict> {
  if (plan.check === null) throw new Error('There is nothing to check with');
  const verdict = await runCheck(plan, plan.check);
  checked = { check: JSON.stringify(plan.check), verdict };
  return verdict;
}

async function runCheck(plan: Plan, check: Check): Promise<Verdict> {
  const { artifact, resolution, limits } = check;
  const runtime = await ensureStarted(plan);
  const base = new URL(plan.base);
  const probed = await readProbe(new FileStore(base), check);
  const { network } = await ensureLoaded({ ...plan, artifact, resolution }, runtime, new Stopwatch());
  progress('check');
  const verdict = await judge(() => guard(runtime, () => network.run(probed.input)), probed.d0, limits);
  runtime.check();
  await new Verdicts(base).keep(plan.backend, check, verdict);
  return verdict;
}

async function ensureStarted(plan: Plan): Promise<Runtime> {
  if (started === undefined) progress('load');
  started ??= await startRuntime(
    plan.backend,
    plan.threads,
    (reason) => reply({ type: 'context-lost', reason }),
    ({ loaded, total }) => progress('engine', loaded, total),
  );
  return started;
}

async function ensureLoaded(plan: Plan, runtime: Runtime, timer: Stopwatch) {
  const { sha256 } = plan.artifact.model;
  if (loaded?.sha256 === sha256) {
    return { network: loaded.network, download_ms: 0, load_ms: 0, warmup_ms: 0 };
  }
  const base = new URL(plan.base);
  timer.restart();
  const files = await runtime.read(new FileStore(base), base, plan.artifact, ({ loaded, total }) =>
    progress('download', loaded, total),
  );
  arrived += files.fetched;
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
  return { network, download_ms, load_ms, warmup_ms };
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
    throw new U2NetError('context-lost', reasonOf(cause), { cause });
  }
}

async function encode(picture: ImageData | null, cut: ImageData | null): Promise<PngFiles> {
  return { picture: picture && (await toPng(picture)), cutOut: cut && (await toPng(cut)) };
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
    ? new U2NetError('model-invalid', said('noDrawing'))
    : new U2NetError('context-lost', said('noNumbers'));
}

function progress(stage: Stage, loaded = 0, total = 0): void {
  reply({ type: 'progress', stage, loaded, total });
}

function fail(cause: unknown): void {
  const { code, said } = asU2NetError(cause);
  reply(code === 'context-lost' ? { type: 'context-lost', reason: said } : { type: 'failed', code, said });
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

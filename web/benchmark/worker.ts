/** One contender: an engine with its thread count, a model, frames when asked. Its end is the worker's. */
import { download } from './download';
import type { Contender, Frame, Opened, Profile, Reply, Request, Session, TimedEngine } from './protocol';

declare const self: DedicatedWorkerGlobalScope;

let session: Session | undefined;
let input: Float32Array = new Float32Array();

self.addEventListener('message', (event: MessageEvent<Request>) => {
  void answer(event.data).catch((error: unknown) => {
    post({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
  });
});

function post(reply: Reply): void {
  self.postMessage(reply);
}

async function answer(request: Request): Promise<void> {
  switch (request.type) {
    case 'open':
      post({ type: 'opened', opened: await open(request.contender, request.threads, request.input) });
      break;
    case 'frame':
      post({ type: 'frame', frame: await frame(request.output) });
      break;
    case 'profile':
      post({ type: 'profile', profile: await profile(request) });
  }
}

async function start(contender: Contender, threads: number): Promise<TimedEngine> {
  switch (contender.engine) {
    case 'litert':
    case 'dense-litert':
      return (await import('./litert')).start(threads);
    case 'onnxruntime':
      return (await import('./onnxruntime')).start(threads);
    case 'tfjs':
    case 'dense-tfjs':
      return (await import('./tfjs')).start('wasm', threads);
  }
}

async function open(contender: Contender, asked: number, probe: string): Promise<Opened> {
  const begun = performance.now();
  const { version, threads, layout, ...engine } = await start(contender, asked);
  const started = performance.now();
  if (contender.engine === 'dense-tfjs') {
    session = (await import('./dense')).product(contender.side);
    return { version, threads, bytes: 0, engine_ms: started - begun, download_ms: 0, load_ms: 0 };
  }
  const model = await engine.download(contender.url);
  const downloaded = performance.now();
  const shape = shapeOf(contender, layout);
  session = await model.load(shape);
  const loaded = performance.now();
  input =
    contender.engine === 'dense-litert'
      ? new Float32Array(contender.side ** 2).fill(0.5)
      : new Float32Array(await download(`${probe}.${layout}`));
  return {
    version,
    threads,
    bytes: model.bytes,
    engine_ms: started - begun,
    download_ms: downloaded - started,
    load_ms: loaded - downloaded,
  };
}

function shapeOf(contender: Contender, layout: TimedEngine['layout']): number[] {
  if ('side' in contender) return [contender.side, contender.side];
  const { resolution } = contender;
  return layout === 'nchw' ? [1, 3, resolution, resolution] : [1, resolution, resolution, 3];
}

async function frame(output: boolean): Promise<Frame> {
  if (session === undefined) throw new Error('No model is open');
  const begun = performance.now();
  const d0 = await session.run(input);
  const ms = performance.now() - begun;
  // A copy: what an engine hands out may be a view of memory that it will use again.
  return { ms, d0: output ? new Float32Array(d0) : null };
}

async function profile(request: Request & { readonly type: 'profile' }): Promise<Profile> {
  if (request.contender.engine !== 'tfjs') throw new Error('Only TensorFlow.js counts its kernels');
  return (await import('./tfjs')).profile(request.backend, request.contender.url);
}

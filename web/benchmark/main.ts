/** What the workflow drives: contenders by name, each in a worker of its own. */
import type { Backend, Contender, Opened, Profile, Reply, Request } from './protocol';

const workers = new Map<string, Worker>();

function ask<Type extends Reply['type']>(worker: Worker, request: Request, type: Type): Promise<Reply & { type: Type }> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      if (data.type === type) resolve(data as Reply & { type: Type });
      else reject(new Error(data.type === 'failed' ? data.message : `${data.type} was not asked for`));
    };
    worker.onerror = (event) => reject(new Error(event.message || 'the worker could not be started'));
    worker.postMessage(request);
  });
}

function startWorker(): Worker {
  return new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
}

function named(name: string): Worker {
  const worker = workers.get(name);
  if (worker === undefined) throw new Error(`${name} is not open`);
  return worker;
}

const benchmark = {
  /** Starts an engine, downloads and loads the model; `input` is the probe's address without its layout. */
  async open(name: string, contender: Contender, threads: number, input: string): Promise<Opened> {
    if (!crossOriginIsolated) throw new Error('The page is not cross-origin isolated: wasm has no threads');
    const worker = startWorker();
    workers.set(name, worker);
    return (await ask(worker, { type: 'open', contender, threads, input }, 'opened')).opened;
  },

  /** One frame; d0 as plain numbers, row by row, where `output` asks for it. */
  async frame(name: string, output: boolean): Promise<{ ms: number; d0: number[] | null }> {
    const { frame } = await ask(named(name), { type: 'frame', output }, 'frame');
    return { ms: frame.ms, d0: frame.d0 && Array.from(frame.d0) };
  },

  /** Ends the worker, and with it all that the contender held. */
  close(name: string): void {
    named(name).terminate();
    workers.delete(name);
  },

  /** From an empty worker to the first d0; `total_ms` is that whole way as the page sees it. */
  async firstDrawing(contender: Contender, threads: number, input: string) {
    const begun = performance.now();
    const opened = await this.open('first', contender, threads, input);
    const { ms } = await this.frame('first', false);
    const total_ms = performance.now() - begun;
    this.close('first');
    return { ...opened, frame_ms: ms, total_ms };
  },

  async profile(contender: Contender, backend: Backend): Promise<Profile> {
    const worker = startWorker();
    try {
      return (await ask(worker, { type: 'profile', contender, backend }, 'profile')).profile;
    } finally {
      worker.terminate();
    }
  },
};

declare global {
  interface Window {
    benchmark: typeof benchmark;
  }
}

window.benchmark = benchmark;

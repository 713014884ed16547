/** Compares one engine with PyTorch on the probe, or times it at one size. */
import { probe } from '../lib/engines/probe';
import { FileStore } from '../lib/site/file_store';
import { judge } from '../lib/verdict/compare';
import { readProbe } from '../lib/verdict/probe';
import { planes, startEngine, type TimedNetwork } from './network';
import type { Reply, Request, Task } from './protocol';

declare const self: DedicatedWorkerGlobalScope;

/** So many frames at a size, or fewer if they take longer than this, but at least three. */
const MOST_FRAMES = 20;
const MOST_MS = 8000;
const FEWEST_FRAMES = 3;

self.addEventListener('message', ({ data }: MessageEvent<Request>) => {
  void answer(data).then(
    (reply) => self.postMessage(reply),
    (cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      self.postMessage({ type: 'failed', reason } satisfies Reply);
    },
  );
});

async function answer(request: Request): Promise<Reply> {
  if (request.type === 'probe') return { type: 'probed', backends: await probe() };
  const { task } = request;
  const open = await startEngine(task);
  if (request.type === 'check') return check(task, await open(task.probe.resolution));
  return { type: 'timed', frames_ms: await time(await open(request.resolution), request.resolution) };
}

async function check({ base, probe }: Task, network: TimedNetwork): Promise<Reply> {
  const { input, d0 } = await readProbe(new FileStore(new URL(base)), probe);
  const laid = network.layout === 'nchw' ? planes(input) : input;
  const { passed, max_abs } = await judge(() => network.run(laid), d0, probe.limits);
  return { type: 'checked', passed, max_abs };
}

async function time(network: TimedNetwork, resolution: number): Promise<number[]> {
  // A photo's values lie about here. Zeros would be faster on some processors.
  const input = Float32Array.from({ length: 3 * resolution ** 2 }, (_, index) => Math.sin(index / 50));
  await network.run(input);
  const times: number[] = [];
  const begun = performance.now();
  while (times.length < FEWEST_FRAMES || (times.length < MOST_FRAMES && performance.now() - begun < MOST_MS)) {
    const start = performance.now();
    await network.run(input);
    times.push(performance.now() - start);
  }
  return times;
}

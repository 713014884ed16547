/** Compares one engine with PyTorch on the probe, then times it at each size. */
import { probe } from '../lib/engines/probe';
import { FileStore } from '../lib/site/file_store';
import { judge } from '../lib/verdict/compare';
import { readProbe } from '../lib/verdict/probe';
import { planes, startEngine, type TimedNetwork } from './network';
import type { Reply, Request, Task } from './protocol';
import type { Row } from './report';

declare const self: DedicatedWorkerGlobalScope;

/** So many frames at a size, or fewer if they take longer than this, but at least three. */
const MOST_FRAMES = 20;
const MOST_MS = 8000;
const FEWEST_FRAMES = 3;

self.addEventListener('message', ({ data }: MessageEvent<Request>) => {
  if (data.type === 'probe') void probe().then((backends) => reply({ type: 'probed', backends }));
  else void measure(data).then(() => reply({ type: 'done' }));
});

async function measure(task: Task): Promise<void> {
  const { backend, threads, device } = task;
  let max_abs: number | null = null;
  const say = (resolution: number, found: Pick<Row, 'frames_ms' | 'problem'>) =>
    reply({ type: 'row', row: { backend, threads, device, resolution, max_abs, ...found } });
  let resolution = task.sizes[0]!;
  try {
    if (task.emulated) return say(resolution, { frames_ms: [], problem: 'an emulated GPU is not timed' });
    const open = await startEngine(task);
    const verdict = await check(task, await open(task.probe.resolution));
    max_abs = verdict.max_abs;
    if (!verdict.passed) return say(resolution, { frames_ms: [], problem: 'computes wrong results here' });
    for (resolution of task.sizes) {
      say(resolution, { frames_ms: await time(await open(resolution), resolution), problem: null });
    }
  } catch (cause) {
    say(resolution, { frames_ms: [], problem: cause instanceof Error ? cause.message : String(cause) });
  }
}

async function check({ base, probe }: Task, network: TimedNetwork) {
  const { input, d0 } = await readProbe(new FileStore(new URL(base)), probe);
  const laid = network.layout === 'nchw' ? planes(input) : input;
  const verdict = await judge(() => network.run(laid), d0, probe.limits);
  network.dispose();
  return verdict;
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
  network.dispose();
  return times;
}

function reply(message: Reply): void {
  self.postMessage(message);
}

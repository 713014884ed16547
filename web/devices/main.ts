/** The page that times the engines of a device. It is opened by hand; the drawing page does not lead to it. */
import type { Catalogue } from '../lib/site/catalogue';
import { readCatalogue } from '../lib/site/read_catalogue';
import { byId } from '../src/dom';
import type { Reply, Request, Task } from './protocol';
import type { Report, Row } from './report';
import { rowOf } from './table';
import { tasksFor } from './tasks';

/** With larger ones a processor may take minutes, so they are offered and not ticked. */
const TICKED_UP_TO = 320;

const form = byId('choice', HTMLFormElement);
const device = byId('device', HTMLInputElement);
const models = byId('model', HTMLSelectElement);
const sizes = byId('sizes', HTMLDivElement);
const start = byId('start', HTMLButtonElement);
const stop = byId('stop', HTMLButtonElement);
const save = byId('save', HTMLAnchorElement);
const rows = byId('rows', HTMLTableSectionElement);

/** Ends what is running. */
let abandon: () => void = () => {};

function say(text: string): void {
  byId('status', HTMLParagraphElement).textContent = text;
}

/** Asks a new worker, and ends it when it has answered. @returns null if the person stops it before. */
function ask(request: Request): Promise<Reply | null> {
  const worker = new Worker(new URL('./device_worker.ts', import.meta.url), { type: 'module' });
  return new Promise<Reply | null>((resolve, reject) => {
    abandon = () => resolve(null);
    worker.onerror = (event) => reject(new Error(event.message || 'a worker could not be started'));
    worker.onmessage = ({ data }: MessageEvent<Reply>) => resolve(data);
    worker.postMessage(request);
  }).finally(() => worker.terminate());
}

/** Compares an engine, and times it at each size if it is right. It ends early if the person stops it. */
async function measure(task: Task, onRow: (row: Row) => void): Promise<void> {
  const { backend, threads, device, sizes } = task;
  let max_abs: number | null = null;
  const say = (resolution: number, frames_ms: readonly number[], problem: string | null) =>
    onRow({ backend, threads, device, resolution, max_abs, frames_ms, problem });
  const first = sizes[0]!;
  if (task.emulated) return say(first, [], 'an emulated GPU is not timed');
  const checked = await ask({ type: 'check', task });
  if (checked?.type === 'failed') return say(first, [], checked.reason);
  if (checked?.type !== 'checked') return;
  max_abs = checked.max_abs;
  if (!checked.passed) return say(first, [], 'computes wrong results here');
  for (const resolution of sizes) {
    const timed = await ask({ type: 'time', task, resolution });
    if (timed?.type === 'failed') return say(resolution, [], timed.reason);
    if (timed?.type !== 'timed') return;
    say(resolution, timed.frames_ms, null);
  }
}

function offer({ models: offered }: Catalogue): void {
  models.replaceChildren(...offered.map(({ name }) => new Option(name)));
  const offerSizes = () => {
    const { resolutions } = offered[models.selectedIndex]!;
    sizes.replaceChildren(
      ...resolutions.map(({ side }) => {
        const label = document.createElement('label');
        const box = document.createElement('input');
        Object.assign(box, { type: 'checkbox', name: 'size', value: `${side}`, checked: side <= TICKED_UP_TO });
        label.append(box, `${side}`);
        return label;
      }),
    );
  };
  models.addEventListener('change', offerSizes);
  offerSizes();
}

async function run({ models: offered }: Catalogue, base: URL): Promise<void> {
  const model = offered[models.selectedIndex]!;
  const wanted = new FormData(form).getAll('size').map(Number);
  if (wanted.length === 0) return say('Tick at least one size.');
  rows.replaceChildren();
  save.hidden = true;
  let stopped = false;
  stop.onclick = () => {
    stopped = true;
    abandon();
  };
  const probed = await ask({ type: 'probe' });
  const found: Row[] = [];
  const tasks = probed?.type === 'probed' ? tasksFor(model, wanted, probed.backends, base) : [];
  for (const [index, task] of tasks.entries()) {
    if (stopped) break;
    say(`Engine ${index + 1} of ${tasks.length} …`);
    await measure(task, (row) => {
      found.push(row);
      rows.append(rowOf(row));
    });
  }
  const report: Report = {
    version: 1,
    device: device.value.trim(),
    user_agent: navigator.userAgent,
    logical_processors: navigator.hardwareConcurrency,
    memory_gb: (navigator as { deviceMemory?: number }).deviceMemory ?? null,
    isolated: crossOriginIsolated,
    date: new Date().toISOString(),
    model: model.name,
    onnx_sha256: model.onnx?.sha256 ?? null,
    rows: found,
  };
  URL.revokeObjectURL(save.href);
  save.href = URL.createObjectURL(new Blob([JSON.stringify(report, null, 2)], { type: 'application/json' }));
  save.download = `${model.name} on ${report.device}.json`;
  save.hidden = found.length === 0;
  say(stopped ? 'Stopped.' : 'Done.');
}

async function main(): Promise<void> {
  const base = new URL(document.querySelector<HTMLMetaElement>('meta[name=catalogue]')!.content, location.href);
  const catalogue = await readCatalogue(base);
  offer(catalogue);
  start.disabled = false;
  say(crossOriginIsolated ? '' : 'This server does not isolate the page, so WebAssembly has one thread here.');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    start.disabled = true;
    stop.hidden = false;
    void run(catalogue, base)
      .catch(fail)
      .finally(() => {
        start.disabled = false;
        stop.hidden = true;
      });
  });
}

function fail(cause: unknown): void {
  say(cause instanceof Error ? cause.message : String(cause));
}

void main().catch(fail);

/** The words of the settings. */
import { fidelity } from '../../lib/choice/choose';
import { type BackendName, type BackendReport, engineOf, onProcessor } from '../../lib/engines/backends';
import { formatBytes, formatSeconds } from '../../lib/format';
import type { Artifact, ModelEntry, Task } from '../../lib/site/catalogue';
import type { Verdict } from '../../lib/verdict/compare';

const PRODUCTS: Record<Task, string> = {
  portrait: 'Pencil portraits',
  drawing: 'Pencil portraits',
  saliency: 'Cut-outs',
};
const ENGINES = { tfjs: 'TensorFlow.js', litert: 'LiteRT' } as const;
const INTERFACES: Partial<Record<BackendName, string>> = { webgpu: 'WebGPU', webgl: 'WebGL', 'litert-webgpu': 'WebGPU' };
/** A picture that takes less counts as fast, and one that takes more than the second as slow. */
const [FAST_MS, SLOW_MS] = [1500, 10_000];

/** What a site's models make, for its title: "Pencil portraits and cut-outs". */
export function offer(models: readonly ModelEntry[]): string {
  const [first, ...others] = [...new Set(models.map(({ task }) => PRODUCTS[task]))];
  return [first, ...others.map((product) => product.toLowerCase())].join(' and ');
}

/** What a model makes, and its name where another makes the same. */
export function modelLabel({ name, task }: ModelEntry, models: readonly ModelEntry[]): string {
  const alone = models.filter((entry) => PRODUCTS[entry.task] === PRODUCTS[task]).length === 1;
  return alone ? PRODUCTS[task] : `${PRODUCTS[task]} (${name})`;
}

/** "u2net_portrait_mini: 0.3 million weights. Same to the eye, 130 dB from PyTorch." */
export function weightsNote({ name, parameters }: ModelEntry, artifact: Artifact): string {
  const { psnr_db } = artifact.parity;
  return `${name}: ${(parameters / 1e6).toFixed(1)} million weights. ${capital(fidelity(artifact))}, ${Math.round(psnr_db)} dB from PyTorch.`;
}

export function placeOf(backend: Pick<BackendReport, 'name'>): string {
  return onProcessor(backend.name) ? 'your processor' : 'your graphics chip';
}

/** "Fast, on your processor." */
export function summary(backend: BackendReport, ms: number): string {
  if (ms < FAST_MS) return `Fast, on ${placeOf(backend)}.`;
  return `${ms < SLOW_MS ? 'A few seconds a picture' : 'Slow'}, on ${placeOf(backend)}: about ${formatSeconds(ms)}.`;
}

/** "Your processor (LiteRT, 2 threads)" */
export function backendLabel(backend: BackendReport): string {
  const how = [
    ENGINES[engineOf(backend.name)],
    INTERFACES[backend.name],
    backend.threads > 1 && `${backend.threads} threads`,
  ];
  return `${capital(placeOf(backend))} (${how.filter(Boolean).join(', ')})`;
}

export function describeDevice({ name, device, software, threads }: BackendReport): string {
  if (!onProcessor(name)) {
    return software ? `${device}: a graphics chip imitated in software, slower than the processor.` : `${device}.`;
  }
  if (threads > 1) return 'Your processor.';
  if (!crossOriginIsolated) {
    return 'Your processor, on one thread: the server does not send the headers (COOP and COEP) that threads need.';
  }
  return 'Your processor, on one thread: this browser or machine offers no more.';
}

export function wentOn(from: BackendReport, reason: string, to: BackendReport): string {
  return `${backendLabel(from)} failed: ${reason.replace(/\.$/, '')}. The page went on with ${lowered(backendLabel(to))}. Nothing was lost.`;
}

export function experimentalNote({ ownResolution }: ModelEntry): string {
  return `Experimental: the model was made for ${ownResolution} × ${ownResolution}. Larger, it may miss parts of the photo or draw what is not there, and it takes longer.`;
}

/** "4.2 MB to download first: 1.3 MB the model, 2.9 MB what computes it." */
export function downloadNote(model: number, engine: number): string {
  const parts = engine === 0 ? '' : `: ${formatBytes(model)} for the model, ${formatBytes(engine)} for what computes it`;
  return `${formatBytes(model + engine)} to download first${parts}. Then they are kept.`;
}

/** What the check of this device found; null if there was none. */
export function verdictNote(verdict: Verdict | null, backend: BackendReport): string {
  if (verdict === null) {
    return onProcessor(backend.name)
      ? 'Processors compute the same everywhere, so yours was not checked.'
      : 'This graphics chip was not checked yet.';
  }
  const { passed, max_abs, ms } = verdict;
  if (!passed) return `This device computes wrong results: ${max_abs === null ? 'no numbers' : decimal(max_abs)} from PyTorch.`;
  return `Verified on this device: at most ${decimal(max_abs ?? 0)} from PyTorch (three drawings, ${formatSeconds(ms)}).`;
}

/** A small number with one digit that is not zero, rounded up: "0.00004". */
export function decimal(value: number): string {
  if (!(value > 0)) return '0';
  const digits = Math.max(0, -Math.floor(Math.log10(value)));
  const scale = 10 ** digits;
  return (Math.ceil(value * scale - 1e-9) / scale).toFixed(digits).replace(/(\.\d*?)0+$/, '$1');
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function lowered(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

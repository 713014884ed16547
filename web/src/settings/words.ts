/** The words of the settings: which of them are said, and with which figures. */
import { fidelity } from '../../lib/choice/choose';
import { type BackendName, type BackendReport, engineOf, onProcessor } from '../../lib/engines/backends';
import type { Said } from '../../lib/messages';
import type { Artifact, ModelEntry } from '../../lib/site/catalogue';
import type { Verdict } from '../../lib/verdict/compare';
import { tell, words } from '../words/words';

const ENGINES = { tfjs: 'TensorFlow.js', litert: 'LiteRT' } as const;
const INTERFACES: Partial<Record<BackendName, string>> = { webgpu: 'WebGPU', webgl: 'WebGL', 'litert-webgpu': 'WebGPU' };
/** A picture that takes less counts as fast, and one that takes more than the second as slow. */
const [FAST_MS, SLOW_MS] = [1500, 10_000];

/** What a site's models make, for its title. */
export function products(models: readonly ModelEntry[]): string[] {
  return [...new Set(models.map(({ task }) => words.talk.products[task]))];
}

/** What a model makes, and its name where another makes the same. */
export function modelLabel({ name, task }: ModelEntry, models: readonly ModelEntry[]): string {
  const { products } = words.talk;
  const alone = models.filter((entry) => products[entry.task] === products[task]).length === 1;
  return alone ? products[task] : `${products[task]} (${name})`;
}

/** "u2net_portrait_mini: 0.3 million weights. Same to the eye, 130 dB from PyTorch." */
export function weightsNote({ name, parameters }: ModelEntry, artifact: Artifact): string {
  const seen = words.talk.fidelity[fidelity(artifact)];
  return words.talk.weights(name, parameters / 1e6, seen, Math.round(artifact.parity.psnr_db));
}

/** "Fast, on your processor." */
export function summary({ name }: BackendReport, ms: number): string {
  const { fast, medium, slow } = words.talk;
  if (ms < FAST_MS) return fast(onProcessor(name));
  return (ms < SLOW_MS ? medium : slow)(onProcessor(name), ms);
}

/** "Your processor (LiteRT, 2 threads)" */
export function backendLabel({ name, threads }: BackendReport): string {
  const how = [ENGINES[engineOf(name)], INTERFACES[name], threads > 1 && words.talk.threads(threads)];
  const place = onProcessor(name) ? words.talk.processor : words.talk.graphicsChip;
  return `${place} (${how.filter(Boolean).join(', ')})`;
}

export function describeDevice({ name, device, software, threads }: BackendReport): string {
  const { talk } = words;
  if (!onProcessor(name)) return software ? talk.imitated(device) : talk.sentence(device);
  if (threads > 1) return talk.sentence(talk.processor);
  return crossOriginIsolated ? talk.oneThread : talk.oneThreadHeaders;
}

export function wentOn(from: BackendReport, reason: Said, to: BackendReport): string {
  return words.talk.wentOn(backendLabel(from), tell(reason), backendLabel(to));
}

export function experimentalNote({ ownResolution }: ModelEntry): string {
  return words.talk.experimentalNote(`${ownResolution} × ${ownResolution}`);
}

/** "4.2 MB to download first: 1.3 MB for the model, 2.9 MB for what computes it." */
export function downloadNote(model: number, engine: number): string {
  return engine === 0 ? words.talk.download(model) : words.talk.downloads(model, engine);
}

/** What the check of this device found; null if there was none. */
export function verdictNote(verdict: Verdict | null, backend: BackendReport): string {
  const { talk } = words;
  if (verdict === null) return onProcessor(backend.name) ? talk.processorUnchecked : talk.chipUnchecked;
  const { passed, max_abs, ms } = verdict;
  if (!passed) return talk.wrong(max_abs === null ? null : decimal(max_abs));
  return talk.verified(decimal(max_abs ?? 0), ms);
}

/** A small number with one digit that is not zero, rounded up: "0.00004". */
export function decimal(value: number): string {
  if (!(value > 0)) return '0';
  const digits = Math.max(0, -Math.floor(Math.log10(value)));
  const scale = 10 ** digits;
  const rounded = Math.ceil(value * scale - 1e-9) / scale;
  return words.talk.fixed(rounded, digits).replace(/([.,]\d*?)0+$/, '$1').replace(/[.,]$/, '');
}

import { U2NetError } from '../errors';
import { said } from '../messages';

export const DTYPES = ['float32', 'float16', 'uint16', 'uint8', 'compact', 'int8'] as const;
/** The engines: TensorFlow.js runs graph models, and LiteRT runs .tflite files. */
export const ENGINES = ['tfjs', 'litert'] as const;
export const TASKS = ['portrait', 'drawing', 'saliency'] as const;
export type Dtype = (typeof DTYPES)[number];
export type EngineName = (typeof ENGINES)[number];
export type Task = (typeof TASKS)[number];

/** A file of the site, named by its content. It is never used if its SHA-256 differs from `sha256`. */
export interface FileRef {
  /** Relative to the catalogue. */
  readonly url: string;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  readonly bytes: number;
}

/** How far the engine's d0 is from PyTorch's on the probe images. */
export interface Parity {
  readonly max_abs: number;
  readonly p99_abs: number;
  readonly psnr_db: number;
  readonly ssim: number;
}

/** One converted graph: a model at one resolution in one weight format, for one engine. */
export interface Artifact {
  readonly engine: EngineName;
  readonly dtype: Dtype;
  readonly model: FileRef;
  readonly weights: readonly FileRef[];
  readonly parity: Parity;
}

export interface Resolution {
  /** The side of the square input, in pixels. */
  readonly side: number;
  /** Multiply-adds of one run. */
  readonly multiply_adds: number;
  readonly artifacts: readonly Artifact[];
}

/** A photo, and what PyTorch makes of it, to check with whether a machine computes right. */
export interface Probe {
  /** The resolution of which the reference is. The photo has that many pixels a side. */
  readonly resolution: number;
  readonly photo: FileRef;
  /** d0 in rows from the top left, uint16, the low byte first: 65535 stands for 1. */
  readonly reference: FileRef;
  /** How far d0 may be from the reference, besides what narrower weights change. */
  readonly limits: { readonly max_abs: number; readonly p99_abs: number };
}

export interface ModelEntry {
  readonly name: string;
  readonly task: Task;
  readonly parameters: number;
  /** The resolution that the model was made for, where it draws best. */
  readonly ownResolution: number;
  readonly probe: Probe;
  /** The ONNX file that the models were converted from, of free size; null if the site has none. */
  readonly onnx: FileRef | null;
  readonly licence: string;
  /** The terms to show where the model is offered. */
  readonly notice: string | null;
  readonly resolutions: readonly Resolution[];
}

export interface Sample {
  /** Relative to the catalogue. */
  readonly url: string;
  /** The address of a small copy, for a button. */
  readonly thumbnail: string;
  readonly name: string;
  readonly credit: string;
}

export interface Catalogue {
  /** The script of the worker that draws, relative to the catalogue. */
  readonly worker: string;
  /** The script of the worker that finds faces, relative to the catalogue. */
  readonly faces: string;
  readonly models: readonly ModelEntry[];
  readonly samples: readonly Sample[];
}

/**
 * Checks a parsed catalogue.json and returns it typed.
 *
 * @throws U2NetError `catalogue-invalid`, naming the first field that is wrong.
 */
export function parseCatalogue(json: unknown): Catalogue {
  const root = object(json, 'catalogue');
  if (root['version'] !== 3) throw invalid('version', 'the number 3');
  return {
    worker: relativeUrl(object(root['worker'], 'worker')['url'], 'worker.url'),
    faces: relativeUrl(object(root['faces'], 'faces')['url'], 'faces.url'),
    models: nonEmpty(root['models'], 'models', parseModel),
    samples: list(root['samples'], 'samples', parseSample),
  };
}

/** All files of an artifact, the graph first. */
export function filesOf(artifact: Artifact): FileRef[] {
  return [artifact.model, ...artifact.weights];
}

/** All files that a catalogue's models need. */
export function allFiles({ models }: Catalogue): FileRef[] {
  return models.flatMap(({ probe, resolutions }) => [
    probe.photo,
    probe.reference,
    ...resolutions.flatMap(({ artifacts }) => artifacts.flatMap(filesOf)),
  ]);
}

/** The weight formats of a resolution for an engine. The list is empty if the site was built without that engine. */
export function artifactsOf(resolution: Resolution, engine: EngineName): Artifact[] {
  return resolution.artifacts.filter((artifact) => artifact.engine === engine);
}

function parseModel(value: unknown, path: string): ModelEntry {
  const model = object(value, path);
  return {
    name: text(model['name'], `${path}.name`),
    task: oneOf(model['task'], TASKS, `${path}.task`),
    parameters: count(model['parameters'], `${path}.parameters`),
    ownResolution: count(model['own_resolution'], `${path}.own_resolution`),
    probe: parseProbe(model['probe'], `${path}.probe`),
    onnx: model['onnx'] == null ? null : parseFile(model['onnx'], `${path}.onnx`),
    licence: text(model['licence'], `${path}.licence`),
    notice: model['notice'] === null ? null : text(model['notice'], `${path}.notice`),
    resolutions: nonEmpty(model['resolutions'], `${path}.resolutions`, parseResolution),
  };
}

function parseProbe(value: unknown, path: string): Probe {
  const probe = object(value, path);
  const limits = object(probe['limits'], `${path}.limits`);
  return {
    resolution: count(probe['resolution'], `${path}.resolution`),
    photo: parseFile(probe['photo'], `${path}.photo`),
    reference: parseFile(probe['reference'], `${path}.reference`),
    limits: {
      max_abs: number(limits['max_abs'], `${path}.limits.max_abs`),
      p99_abs: number(limits['p99_abs'], `${path}.limits.p99_abs`),
    },
  };
}

function parseResolution(value: unknown, path: string): Resolution {
  const resolution = object(value, path);
  return {
    side: count(resolution['resolution'], `${path}.resolution`),
    multiply_adds: count(resolution['multiply_adds'], `${path}.multiply_adds`),
    artifacts: nonEmpty(resolution['dtypes'], `${path}.dtypes`, parseArtifact),
  };
}

function parseArtifact(value: unknown, path: string): Artifact {
  const artifact = object(value, path);
  const parity = object(artifact['parity'], `${path}.parity`);
  return {
    engine: oneOf(artifact['engine'], ENGINES, `${path}.engine`),
    dtype: oneOf(artifact['dtype'], DTYPES, `${path}.dtype`),
    model: parseFile(artifact['model'], `${path}.model`),
    weights: nonEmpty(artifact['weights'], `${path}.weights`, parseFile),
    parity: {
      max_abs: number(parity['max_abs'], `${path}.parity.max_abs`),
      p99_abs: number(parity['p99_abs'], `${path}.parity.p99_abs`),
      psnr_db: number(parity['psnr_db'], `${path}.parity.psnr_db`),
      ssim: number(parity['ssim'], `${path}.parity.ssim`),
    },
  };
}

function parseFile(value: unknown, path: string): FileRef {
  const file = object(value, path);
  const sha256 = text(file['sha256'], `${path}.sha256`);
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw invalid(`${path}.sha256`, '64 hexadecimal digits');
  return { url: relativeUrl(file['url'], `${path}.url`), sha256, bytes: count(file['bytes'], `${path}.bytes`) };
}

function parseSample(value: unknown, path: string): Sample {
  const sample = object(value, path);
  return {
    url: relativeUrl(sample['url'], `${path}.url`),
    thumbnail: relativeUrl(object(sample['thumbnail'], `${path}.thumbnail`)['url'], `${path}.thumbnail.url`),
    name: text(sample['name'], `${path}.name`),
    credit: text(sample['credit'], `${path}.credit`),
  };
}

function invalid(path: string, expected: string): U2NetError {
  return new U2NetError('catalogue-invalid', said('catalogueInvalid', path, expected));
}

function object(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(path, 'an object');
  return value as Record<string, unknown>;
}

function list<T>(value: unknown, path: string, parse: (item: unknown, path: string) => T): T[] {
  if (!Array.isArray(value)) throw invalid(path, 'a list');
  return value.map((item, index) => parse(item, `${path}[${index}]`));
}

function nonEmpty<T>(value: unknown, path: string, parse: (item: unknown, path: string) => T): T[] {
  const items = list(value, path, parse);
  if (items.length === 0) throw invalid(path, 'a list with at least one entry');
  return items;
}

function text(value: unknown, path: string): string {
  if (typeof value !== 'string' || value === '') throw invalid(path, 'a text');
  return value;
}

function number(value: unknown, path: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw invalid(path, 'a number');
  return value;
}

function count(value: unknown, path: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value <= 0)
    throw invalid(path, 'a positive integer');
  return value;
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[], path: string): T {
  const found = allowed.find((item) => item === value);
  if (found === undefined) throw invalid(path, `one of ${allowed.join(', ')}`);
  return found;
}

/** A path below the catalogue, because the page loads nothing from other hosts. */
function relativeUrl(value: unknown, path: string): string {
  const url = text(value, path);
  if (url.startsWith('/') || url.includes(':') || url.split('/').includes('..')) {
    throw invalid(path, 'a path relative to the catalogue');
  }
  return url;
}

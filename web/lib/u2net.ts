/**
 * Draws on any page with the verified U²-Net models of a site that this workflow built.
 *
 *     import { loadModel } from 'https://your.host/site/lib/u2net.js';
 *     const model = await loadModel('u2netp');
 *     document.body.append(await model.draw(photo));
 */
import { type Choice, choose, type Machine } from './choice/choose';
import { inspect } from './choice/inspect';
import { NO_STORAGE, Speeds } from './choice/speed';
import type { BackendName } from './engines/backends';
import { U2NetError } from './errors';
import { textOf } from './messages';
import { Model, type RunOptions } from './model';
import { artifactsOf, type Catalogue, type Dtype, type Task } from './site/catalogue';
import { readCatalogue } from './site/read_catalogue';
import { WorkerClient } from './worker/client';
import { startWorker } from './worker/start';

export type { BackendName } from './engines/backends';
export { type ErrorCode, U2NetError } from './errors';
export type { Rect } from './geometry';
export type { FramedFace } from './faces/finder';
export { type DrawOptions, Model, type Prediction, type Progress, type RunOptions } from './model';
export type { PhotoSource } from './photo/take';
export type { Dtype, Task } from './site/catalogue';
export type { Stage, Timing } from './worker/protocol';

/** This library's address. It is a constant because bundlers would replace `new URL('..', import.meta.url)`. */
const here = import.meta.url;

export interface SiteOptions {
  /** The address of the site. If left out, the site from which this library was loaded. */
  readonly site?: string | URL;
  readonly signal?: AbortSignal;
}

/** Options that are left out are chosen for the machine, as on the site's own page. */
export interface LoadOptions extends SiteOptions, Pick<RunOptions, 'onProgress'> {
  /** Side of the network's square input, in pixels. */
  readonly resolution?: number;
  readonly dtype?: Dtype;
  readonly backend?: BackendName;
}

/** A model of a site. */
export interface Offer {
  readonly name: string;
  readonly task: Task;
  readonly licence: string;
  /** Terms to show where the model is offered. */
  readonly notice: string | null;
  readonly resolutions: readonly number[];
}

/** Lists a site's models. @throws U2NetError `download-interrupted` or `catalogue-invalid`; or the signal's reason. */
export async function listModels(options: SiteOptions = {}): Promise<Offer[]> {
  const { models } = await readCatalogue(catalogueOf(options.site), options.signal);
  return models.map(({ name, task, licence, notice, resolutions }) => {
    return { name, task, licence, notice, resolutions: resolutions.map(({ side }) => side) };
  });
}

/**
 * Loads a model into a worker: downloads its files, or takes them from the browser's cache, compares each with its
 * SHA-256 in the site's catalogue, and sets the engine up.
 *
 * @param name one of {@link listModels}, or null for the first of them.
 * @throws U2NetError, for example `not-offered` if the site or machine lacks what was asked for; or the signal's reason.
 */
export async function loadModel(name: string | null = null, options: LoadOptions = {}): Promise<Model> {
  if (!isSecureContext) {
    throw new U2NetError('insecure-origin', 'Models load only into pages at https:// or on localhost.');
  }
  const { signal } = options;
  const base = catalogueOf(options.site);
  const catalogue = await readCatalogue(base, signal);
  check(catalogue, name, options);
  const client = new WorkerClient(() => startWorker(new URL(catalogue.worker, base)));
  try {
    const machine = await inspect(client, new Speeds(NO_STORAGE));
    const choice = choose(catalogue, machine, {
      model: name,
      resolution: options.resolution === undefined ? null : String(options.resolution),
      dtype: options.dtype ?? null,
      backend: options.backend ?? null,
    });
    checkChoice(choice, machine, options);
    const model = new Model(client, { base, catalogue }, machine, choice, options.backend !== undefined);
    await model.prepare(options);
    return model;
  } catch (cause) {
    client.close();
    signal?.throwIfAborted();
    throw cause;
  }
}

function catalogueOf(site: string | URL | undefined): URL {
  const folder = site === undefined ? new URL('..', here) : new URL(site, document.baseURI);
  if (!/^https?:$/.test(folder.protocol)) {
    throw new U2NetError('not-offered', `${folder.href} is not a site's address. Name the site: { site: 'https://…/' }.`);
  }
  if (!folder.pathname.endsWith('/')) folder.pathname += '/';
  return new URL('catalogue.json', folder);
}

/** @throws U2NetError `not-offered` if the site does not have the model, or not at that resolution. */
function check({ models }: Catalogue, name: string | null, { resolution }: LoadOptions): void {
  const model = name === null ? models[0] : models.find((entry) => entry.name === name);
  if (model === undefined) {
    const names = models.map((entry) => entry.name).join(', ');
    throw new U2NetError('not-offered', `The site has no model ${name}. It has: ${names}.`);
  }
  const sides = model.resolutions.map(({ side }) => side);
  if (resolution !== undefined && !sides.includes(resolution)) {
    throw new U2NetError('not-offered', `The site has ${model.name} at ${sides.join(', ')}, not at ${resolution}.`);
  }
}

/** @throws U2NetError `not-offered` if the weights or the backend are not the ones asked for. */
function checkChoice({ resolution, artifact, backend }: Choice, { backends }: Machine, asked: LoadOptions): void {
  if (asked.backend !== undefined && backend.name !== asked.backend) {
    const found = backends.find(({ name }) => name === asked.backend);
    const reason = found?.unavailable ? textOf(found.unavailable) : 'the site does not hold the model for it';
    throw new U2NetError('not-offered', `${asked.backend} cannot be used here: ${reason}.`);
  }
  if (asked.dtype !== undefined && artifact.dtype !== asked.dtype) {
    const held = artifactsOf(resolution, artifact.engine).map(({ dtype }) => dtype);
    throw new U2NetError('not-offered', `For ${backend.name} the site has ${held.join(', ')}, not ${asked.dtype}.`);
  }
}

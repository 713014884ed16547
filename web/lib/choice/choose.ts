import { type BackendName, type BackendReport, engineOf, unavailable } from '../engines/backends';
import {
  type Artifact,
  artifactsOf,
  type Catalogue,
  type EngineName,
  filesOf,
  type ModelEntry,
  type Resolution,
} from '../site/catalogue';
import { type Said, said } from '../messages';
import { misfit } from './memory';
import { type Speeds, typical } from './speed';

/** The page does not choose a drawing that takes longer than this. The person may ask for it. */
const PATIENCE_MS = 10_000;
/** The page may start a download up to this size without being asked. */
const SMALL_DOWNLOAD = 16e6;
/** How many drawings a visitor is expected to make. */
const DRAWINGS = 5;
const ENGINE_NAMES: Record<EngineName, string> = { tfjs: 'TensorFlow.js', litert: 'LiteRT' };
/** A weight format with at least this PSNR draws the same to the eye, because its error is below an 8-bit step. */
const SAME_TO_THE_EYE_DB = 50;

/** What can be asked for in the address: ?model=&resolution=&dtype=&backend= */
export interface Wish {
  readonly model: string | null;
  readonly resolution: string | null;
  readonly dtype: string | null;
  readonly backend: string | null;
}

export interface Choice {
  readonly model: ModelEntry;
  readonly resolution: Resolution;
  readonly artifact: Artifact;
  readonly backend: BackendReport;
}

/** What a browser tells about its machine. */
export interface Machine {
  readonly backends: readonly BackendReport[];
  readonly deviceMemory: number | undefined;
  /** What the connection is expected to carry. */
  readonly bytesPerSecond: number;
  readonly speeds: Speeds;
}

/**
 * Grants each wish if it can. Otherwise it chooses the best for the machine: the backend with which some drawings are made
 * soonest, the model's own resolution or, if that does not fit into memory or takes too long, the highest that does, and
 * the exact weights unless they are a large download.
 */
export function choose(catalogue: Catalogue, machine: Machine, wish: Wish): Choice {
  const model = catalogue.models.find((entry) => entry.name === wish.model) ?? catalogue.models[0]!;
  const backends = offered(machine.backends, model);
  const usable = backends.filter((entry) => entry.unavailable === null);
  const backend = usable.find((entry) => entry.name === wish.backend) ?? bestBackend(backends, model, machine);
  const resolution =
    model.resolutions.find((entry) => String(entry.side) === wish.resolution) ??
    bestResolution(model, backend, machine);
  const artifacts = artifactsOf(resolution, engineOf(backend.name));
  const artifact = artifacts.find((entry) => entry.dtype === wish.dtype) ?? bestArtifact(artifacts);
  return { model, resolution, artifact, backend };
}

/** Changes one part of a choice, for example the backend. The other parts stay as they are where that is possible. */
export function change(catalogue: Catalogue, machine: Machine, choice: Choice, wish: Partial<Wish>): Choice {
  const { model, resolution, artifact, backend } = choice;
  const current = {
    model: model.name,
    resolution: String(resolution.side),
    dtype: artifact.dtype,
    backend: backend.name,
  };
  return choose(catalogue, machine, { ...current, ...wish });
}

/** The backends for whose engine the site has the model. */
export function offered(backends: readonly BackendReport[], model: ModelEntry): BackendReport[] {
  return backends.map((backend) => {
    const engine = engineOf(backend.name);
    const held = model.resolutions.every((resolution) => artifactsOf(resolution, engine).length > 0);
    if (held || backend.unavailable !== null) return backend;
    return { ...backend, unavailable: said('notHeld', model.name, ENGINE_NAMES[engine]) };
  });
}

/**
 * The working backend with which a visitor's first drawings are made soonest, its engine's download included. The large
 * engine that computes faster is not worth its download for a small network.
 */
export function bestBackend(backends: readonly BackendReport[], model: ModelEntry, machine: Machine): BackendReport {
  const usable = backends.filter((entry) => entry.unavailable === null);
  const resolution = madeFor(model).at(-1)!;
  const seconds = (backend: BackendReport) =>
    backend.download / machine.bytesPerSecond + (DRAWINGS * resolution.multiply_adds) / typical(backend);
  return usable.toSorted((a, b) => seconds(a) - seconds(b))[0] ?? backends[0]!;
}

/** A machine on which a backend is not to be used, and why. */
export function without(machine: Machine, name: BackendName, reason: Said): Machine {
  const backends = machine.backends.map((entry) => (entry.name === name ? unavailable(name, reason) : entry));
  return { ...machine, backends };
}

/** Whether a resolution is larger than the model was made for. */
export function isExperimental(model: ModelEntry, { side }: Resolution): boolean {
  return side > model.ownResolution;
}

/** The resolutions up to the model's own, the smallest first; the smallest of all if the site has only larger ones. */
export function madeFor(model: ModelEntry): Resolution[] {
  const ascending = model.resolutions.toSorted((a, b) => a.side - b.side);
  const usual = ascending.filter((entry) => !isExperimental(model, entry));
  return usual.length > 0 ? usual : ascending.slice(0, 1);
}

/**
 * Whether a drawing may start by itself when a photo arrives: it fits, it is quick, and its download is small.
 *
 * @param missingBytes what is still to be downloaded, of the model and of the engine.
 */
export function startsByItself(choice: Choice, machine: Machine, missingBytes: number): boolean {
  return missingBytes <= SMALL_DOWNLOAD && fits(choice.model, choice.resolution, choice.backend, machine);
}

export type Fidelity = 'same to the eye' | 'slightly different' | 'visibly different';

/** How its drawings look beside those of float32, by the parity figure. */
export function fidelity(artifact: Artifact): Fidelity {
  const { psnr_db } = artifact.parity;
  if (psnr_db >= SAME_TO_THE_EYE_DB) return 'same to the eye';
  return psnr_db >= 35 ? 'slightly different' : 'visibly different';
}

function bestResolution(model: ModelEntry, backend: BackendReport, machine: Machine): Resolution {
  const candidates = madeFor(model);
  return candidates.findLast((entry) => fits(model, entry, backend, machine)) ?? candidates[0]!;
}

function fits(model: ModelEntry, resolution: Resolution, backend: BackendReport, machine: Machine): boolean {
  if (misfit(model, resolution.side, backend, machine.deviceMemory) !== null) return false;
  return machine.speeds.estimate(backend, model.name, resolution.multiply_adds).ms <= PATIENCE_MS;
}

function bestArtifact(artifacts: readonly Artifact[]): Artifact {
  const bytes = (artifact: Artifact) => filesOf(artifact).reduce((sum, file) => sum + file.bytes, 0);
  const exact = artifacts.find((entry) => entry.dtype === 'float32');
  if (exact !== undefined && bytes(exact) <= SMALL_DOWNLOAD) return exact;
  const good = artifacts.filter((entry) => entry.parity.psnr_db >= SAME_TO_THE_EYE_DB);
  return (
    good.toSorted((a, b) => bytes(a) - bytes(b) || b.parity.psnr_db - a.parity.psnr_db)[0] ?? exact ?? artifacts[0]!
  );
}

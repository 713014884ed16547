import { type BackendReport, engineOf } from '../engines/backends';
import {
  type Artifact,
  artifactsOf,
  type Catalogue,
  type EngineName,
  filesOf,
  type ModelEntry,
  type Resolution,
} from '../site/catalogue';
import { misfit } from './memory';
import { type Speeds, typical } from './speed';

/** The page does not choose a drawing that takes longer than this. The person may ask for it. */
const PATIENCE_MS = 10_000;
/** The page may start a download up to this size without being asked. */
const SMALL_DOWNLOAD = 16e6;
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
  readonly speeds: Speeds;
}

/**
 * Grants each wish if it can. Otherwise it chooses the best for the machine: the fastest kind of backend, the highest
 * resolution that fits into memory and is drawn within some seconds, and the exact weights unless they are a large
 * download.
 */
export function choose(catalogue: Catalogue, machine: Machine, wish: Wish): Choice {
  const model = catalogue.models.find((entry) => entry.name === wish.model) ?? catalogue.models[0]!;
  const backends = offered(machine.backends, model);
  const usable = backends.filter((entry) => entry.unavailable === null);
  const backend = usable.find((entry) => entry.name === wish.backend) ?? bestBackend(backends);
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
    return { ...backend, unavailable: `this site does not hold ${model.name} for ${ENGINE_NAMES[engine]}` };
  });
}

/** The working backend that is usually the fastest: a GPU that is not emulated, or else LiteRT. */
export function bestBackend(backends: readonly BackendReport[]): BackendReport {
  const usable = backends.filter((entry) => entry.unavailable === null);
  return usable.toSorted((a, b) => typical(b) - typical(a))[0] ?? backends[0]!;
}

/** Whether a drawing may start by itself when a photo arrives: it fits, it is quick, and its download is small. */
export function startsByItself(choice: Choice, machine: Machine, missingBytes: number): boolean {
  return missingBytes <= SMALL_DOWNLOAD && fits(choice.model, choice.resolution, choice.backend, machine);
}

/** "same to the eye", "slightly different" or "visibly different" from float32, by the parity figure. */
export function fidelity(artifact: Artifact): string {
  const { psnr_db } = artifact.parity;
  if (psnr_db >= SAME_TO_THE_EYE_DB) return 'same to the eye';
  return psnr_db >= 35 ? 'slightly different' : 'visibly different';
}

function bestResolution(model: ModelEntry, backend: BackendReport, machine: Machine): Resolution {
  const ascending = model.resolutions.toSorted((a, b) => a.side - b.side);
  return ascending.findLast((entry) => fits(model, entry, backend, machine)) ?? ascending[0]!;
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

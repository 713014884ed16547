import type { BackendReport } from '../engines/backends';
import { U2NetError } from '../errors';
import { said } from '../messages';
import type { Artifact, FileRef, Probe, Resolution } from '../site/catalogue';
import { folderOf, sha256 } from '../site/file_store';
import type { Limits, Verdict } from './compare';

/** How to find out whether a backend computes a model right on this machine. */
export interface Check {
  /** The model at the probe's resolution, in the weights that are to be used. */
  readonly artifact: Artifact;
  readonly resolution: number;
  readonly photo: FileRef;
  readonly reference: FileRef;
  readonly limits: Limits;
  /** The GPU's own description. Another GPU is checked again. */
  readonly device: string;
}

/**
 * The check of a backend with a model, or null if the site has no such weights at the probe's resolution.
 *
 * Narrower weights change d0 by what the chain measured of them. That is added to the limits.
 */
export function checkOf(
  { resolution, photo, reference, limits }: Probe,
  resolutions: readonly Resolution[],
  { engine, dtype }: Artifact,
  { device }: BackendReport,
): Check | null {
  const artifact = resolutions
    .find(({ side }) => side === resolution)
    ?.artifacts.find((entry) => entry.engine === engine && entry.dtype === dtype);
  if (artifact === undefined) return null;
  const { max_abs, p99_abs } = artifact.parity;
  const widened = { max_abs: limits.max_abs + max_abs, p99_abs: limits.p99_abs + p99_abs };
  return { artifact, resolution, photo, reference, limits: widened, device };
}

/** What is said of a GPU that failed. */
export function wrongResults(backend: string, { max_abs }: Pick<Verdict, 'max_abs'>): U2NetError {
  const how =
    max_abs === null ? said('wrongValues', backend) : said('wrongResults', backend, max_abs.toPrecision(1));
  return new U2NetError('wrong-results', how);
}

/**
 * Verdicts, kept in the Cache API, which a worker can reach. Each is kept for one model, check, backend, GPU (whose
 * description names the driver where the browser tells it) and version of the browser.
 */
export class Verdicts {
  readonly #folder: URL;

  /** @param base address of the catalogue. */
  constructor(base: URL) {
    this.#folder = base;
  }

  async get(backend: string, check: Check): Promise<Verdict | null> {
    const kept = await (await this.#open())?.match(await this.#keyOf(backend, check));
    return kept === undefined ? null : ((await kept.json()) as Verdict);
  }

  async keep(backend: string, check: Check, verdict: Verdict): Promise<void> {
    // A full disk must not stop the drawing. The check is made again next time.
    await (await this.#open())
      ?.put(await this.#keyOf(backend, check), new Response(JSON.stringify(verdict)))
      .catch(() => {});
  }

  #open(): Promise<Cache | null> {
    return caches.open(`verdicts ${folderOf(this.#folder)}`).catch(() => null);
  }

  async #keyOf(backend: string, check: Check): Promise<string> {
    const said = JSON.stringify([backend, check, navigator.userAgent]);
    const digest = await sha256(new TextEncoder().encode(said).buffer);
    return new URL(`/verdict/${digest}`, this.#folder).href;
  }
}

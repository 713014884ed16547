/** How far d0 may be from the reference: in any pixel, and in all but 1 % of them. */
export interface Limits {
  readonly max_abs: number;
  readonly p99_abs: number;
}

/** What the check of a backend found. */
export interface Verdict {
  readonly passed: boolean;
  /** The farthest that any run was from PyTorch; null if a run gave values that are no numbers. */
  readonly max_abs: number | null;
  /** Milliseconds that all runs took together. */
  readonly ms: number;
}

/** Runs of the probe. Some GPUs are right only the first time, so one is not enough. */
const RUNS = 3;
/** The reference is in whole numbers of this many steps, so it may be half a step from PyTorch's own. */
const STEPS = 65535;

/** PyTorch's d0 from a reference file: uint16, the low byte first. */
export function readReference(file: ArrayBuffer): Float32Array<ArrayBuffer> {
  const view = new DataView(file);
  return Float32Array.from({ length: file.byteLength / 2 }, (_, index) => view.getUint16(2 * index, true) / STEPS);
}

/**
 * Runs the probe three times and compares each d0 with the reference. It stops at the first that is wrong.
 *
 * @param run computes d0, as many values as the reference has.
 */
export async function judge(
  run: () => Promise<Float32Array>,
  reference: Float32Array,
  limits: Limits,
): Promise<Verdict> {
  const start = performance.now();
  let farthest = 0;
  for (let index = 0; index < RUNS; index++) {
    const { max_abs, p99_abs } = distance(await run(), reference);
    const ms = performance.now() - start;
    if (!Number.isFinite(max_abs)) return { passed: false, max_abs: null, ms };
    farthest = Math.max(farthest, max_abs + 0.5 / STEPS);
    if (max_abs > limits.max_abs || p99_abs > limits.p99_abs) return { passed: false, max_abs: farthest, ms };
  }
  return { passed: true, max_abs: farthest, ms: performance.now() - start };
}

/** The largest |Δ| and the one that 99 % of the values keep to. Infinity for another length or what is no number. */
function distance(d0: Float32Array, reference: Float32Array): Limits {
  if (d0.length !== reference.length || !d0.every(Number.isFinite)) return { max_abs: Infinity, p99_abs: Infinity };
  const apart = d0.map((value, index) => Math.abs(value - reference[index]!)).sort();
  return { max_abs: apart.at(-1) ?? 0, p99_abs: apart[Math.ceil(0.99 * apart.length) - 1] ?? 0 };
}

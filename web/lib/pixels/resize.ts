/**
 * Pillow's resampling (`Image.resize`) in floating point: separable, horizontal pass first, with a kernel that widens
 * with the scale when shrinking, so that no pixel is skipped. Sums are float64, what is stored is float32, as for
 * Pillow's mode F; nothing is rounded to 8 bits. Source: Pillow, src/libImaging/Resample.c.
 */

export interface Filter {
  /** Half the kernel's width, in pixels of the coarser grid. */
  readonly support: number;
  readonly kernel: (x: number) => number;
}

/** Pillow's BILINEAR. */
export const TRIANGLE: Filter = {
  support: 1,
  kernel: (x) => Math.max(0, 1 - Math.abs(x)),
};

/** Pillow's BICUBIC: Keys' cubic convolution with a = −0.5, which is sharper than the triangle when enlarging. */
export const BICUBIC: Filter = {
  support: 2,
  kernel: (value) => {
    const a = -0.5;
    const x = Math.abs(value);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
    return 0;
  },
};

/** Pixels in rows from the top left. Each has `stride` values, of which the first `channels` count. */
export interface Pixels {
  readonly data: Uint8ClampedArray | Float32Array;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly stride: number;
}

/**
 * Resizes to `width` × `height`; the aspect is not kept.
 *
 * @param down the filter of the vertical pass, if it differs from that of the horizontal pass.
 * @returns float32 in rows from the top left (HWC), `channels` values per pixel, in the range of the source. BICUBIC
 * may overshoot that range.
 * @throws RangeError if a side of either image is not a positive integer.
 */
export function resize(
  source: Pixels,
  width: number,
  height: number,
  across: Filter,
  down: Filter = across,
): Float32Array<ArrayBuffer> {
  for (const side of [source.width, source.height, width, height]) {
    if (!Number.isInteger(side) || side < 1)
      throw new RangeError(`An image side must be a positive integer, not ${side}`);
  }
  const { channels, stride } = source;
  const rows = new Float32Array(source.height * width * channels);
  const columns = windows(source.width, width, across);
  for (let y = 0; y < source.height; y++) {
    const from = y * source.width * stride;
    let to = y * width * channels;
    for (let x = 0; x < width; x++) {
      const first = columns.first[x]!;
      const count = columns.count[x]!;
      const weight = x * columns.taps;
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        let at = from + first * stride + c;
        for (let k = 0; k < count; k++, at += stride) sum += source.data[at]! * columns.weights[weight + k]!;
        rows[to++] = sum;
      }
    }
  }

  const line = width * channels;
  const result = new Float32Array(height * line);
  const sums = new Float64Array(line);
  const lines = windows(source.height, height, down);
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    const first = lines.first[y]!;
    const count = lines.count[y]!;
    // Go row by row and not column by column, so that memory is read in its own order.
    for (let k = 0; k < count; k++) {
      const weight = lines.weights[y * lines.taps + k]!;
      const from = (first + k) * line;
      for (let i = 0; i < line; i++) sums[i]! += rows[from + i]! * weight;
    }
    result.set(sums, y * line);
  }
  return result;
}

interface Windows {
  readonly taps: number;
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `taps` weights for each output pixel, of which the first `count` are used; they sum to 1. */
  readonly weights: Float64Array;
}

/** For each output pixel: which input pixels it takes, and how much of each. */
function windows(inSize: number, outSize: number, filter: Filter): Windows {
  const scale = inSize / outSize;
  const filterScale = Math.max(scale, 1);
  const support = filter.support * filterScale;
  const taps = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(outSize);
  const count = new Int32Array(outSize);
  const weights = new Float64Array(outSize * taps);
  for (let i = 0; i < outSize; i++) {
    const center = (i + 0.5) * scale;
    const min = Math.max(0, Math.trunc(center - support + 0.5));
    const max = Math.min(inSize, Math.trunc(center + support + 0.5));
    first[i] = min;
    count[i] = max - min;
    let total = 0;
    for (let k = 0; k < max - min; k++) {
      const weight = filter.kernel((k + min - center + 0.5) / filterScale);
      weights[i * taps + k] = weight;
      total += weight;
    }
    for (let k = 0; k < max - min; k++) weights[i * taps + k]! /= total;
  }
  return { taps, first, count, weights };
}

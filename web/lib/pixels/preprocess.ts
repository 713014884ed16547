import { resize, TRIANGLE } from './resize';

/** Mean and standard deviation of ImageNet's RGB channels. The networks were trained with these. */
const MEAN = [0.485, 0.456, 0.406] as const;
const DEVIATION = [0.229, 0.224, 0.225] as const;

/**
 * The network's input from a photo, as in the reference implementation: resized to the square (the aspect is not kept),
 * divided by the image's own maximum, minus the channel means, over the channel deviations.
 *
 * @param rgba 8-bit sRGB in rows from the top left, opaque.
 * @returns float32 NHWC [1, resolution, resolution, 3]. An all-black photo has no maximum to be divided by and counts
 * as zeros.
 */
export function preprocess(
  rgba: Uint8ClampedArray,
  width: number,
  height: number,
  resolution: number,
): Float32Array<ArrayBuffer> {
  const input = resize({ data: rgba, width, height, channels: 3, stride: 4 }, resolution, resolution, TRIANGLE);
  let maximum = 0;
  for (const value of input) if (value > maximum) maximum = value;
  const divisor = maximum > 0 ? maximum : 1;
  for (let i = 0; i < input.length; i += 3) {
    for (let c = 0; c < 3; c++) input[i + c] = (input[i + c]! / divisor - MEAN[c]!) / DEVIATION[c]!;
  }
  return input;
}

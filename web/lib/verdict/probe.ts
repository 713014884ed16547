import { decodeCrop } from '../pixels/decode_crop';
import { preprocess } from '../pixels/preprocess';
import type { Probe } from '../site/catalogue';
import type { FileStore } from '../site/file_store';
import { readReference } from './compare';

/**
 * Reads a probe: the network's input, float32 NHWC [1, resolution, resolution, 3], and PyTorch's d0 of it, in rows.
 *
 * @throws U2NetError as {@link FileStore.read} does.
 */
export async function readProbe(
  store: FileStore,
  { photo, reference, resolution }: Pick<Probe, 'photo' | 'reference' | 'resolution'>,
): Promise<{ input: Float32Array<ArrayBuffer>; d0: Float32Array }> {
  const { contents } = await store.read([photo, reference]);
  const size = { width: resolution, height: resolution };
  const pixels = await decodeCrop(new Blob([contents[0]!]), size, { x: 0, y: 0, ...size }, 'stored');
  return { input: preprocess(pixels.data, resolution, resolution, resolution), d0: readReference(contents[1]!) };
}

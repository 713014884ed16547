/** The worker that looks for faces. It is small and needs no engine, so it runs beside the one that draws. */
import detector from '@mediapipe/face_detection/face_detection_short_range.tflite?url';
import { asU2NetError } from '../errors';
import { wholeOf } from '../geometry';
import { decodeCrop } from '../pixels/decode_crop';
import { FileStore } from '../site/file_store';
import type { Face } from './boxes';
import { detectFaces } from './detect';
import type { FaceReply, FaceRequest } from './finder';
import { type Graph, readGraph } from './read_graph';

declare const self: DedicatedWorkerGlobalScope;

/** BlazeFace for faces near the camera, from Google's MediaPipe (Apache-2.0). */
const DETECTOR = {
  sha256: '3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633',
  bytes: 229_032,
};

let loading: Promise<Graph> | undefined;

self.addEventListener('message', ({ data }: MessageEvent<FaceRequest>) => {
  find(data)
    .then((faces) => reply({ id: data.id, faces }))
    .catch((cause: unknown) => {
      const { code, said } = asU2NetError(cause);
      reply({ id: data.id, code, said });
    });
});

async function find({ photo, size, thorough }: FaceRequest): Promise<Face[]> {
  try {
    loading ??= load();
    const [graph, pixels] = await Promise.all([loading, decodeCrop(photo, size, wholeOf(size), 'stored')]);
    return detectFaces(graph, pixels, thorough);
  } finally {
    if (!(photo instanceof Blob)) photo.close();
  }
}

async function load(): Promise<Graph> {
  try {
    const address = new URL(detector, import.meta.url);
    const { contents } = await new FileStore(address).read([{ ...DETECTOR, url: address.href }]);
    return readGraph(contents[0]!);
  } catch (cause) {
    // The next photo tries again.
    loading = undefined;
    throw cause;
  }
}

function reply(message: FaceReply): void {
  self.postMessage(message);
}

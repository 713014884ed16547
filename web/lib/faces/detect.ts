import type { Rect, Size } from '../geometry';
import { resize, TRIANGLE } from '../pixels/resize';
import { distinct, type Face, INPUT_SIDE, readFaces } from './boxes';
import type { Graph } from './read_graph';
import { runGraph } from './run_graph';

/** 8-bit RGBA in rows from the top left, opaque. */
export interface PhotoPixels extends Size {
  readonly data: Uint8ClampedArray;
}

/** RGB in rows from the top left, 0 to 255. */
interface Picture extends Size {
  readonly data: Float32Array;
}

/** Photos are looked at with their longer side at this many pixels. */
const SEEN_SIDE = 4 * INPUT_SIDE;
/** Smaller parts show no whole face that could be drawn. */
const LEAST_PART = INPUT_SIDE / 4;

/**
 * Finds the faces in a photo with BlazeFace, the largest face first.
 *
 * @param graph face_detection_short_range.tflite.
 * @param thorough looks not only at the whole photo but also at the parts of half its size, in which small faces are
 * found: those that take more than a twentieth of the longer side.
 * @throws Error if the graph is another one.
 */
export function detectFaces(graph: Graph, photo: PhotoPixels, thorough: boolean): Face[] {
  const { data, width, height } = photo;
  const picture = shrink({ data, width, height, channels: 3, stride: 4 }, Math.min(SEEN_SIDE, Math.max(width, height)));
  const found = detectIn(graph, picture);
  if (thorough) {
    for (const part of partsOf(picture)) {
      const faces = detectIn(graph, cut(picture, part));
      found.push(...faces.map(({ box, score }) => ({ score, box: { ...box, x: box.x + part.x, y: box.y + part.y } })));
    }
  }
  const [across, down] = [width / picture.width, height / picture.height];
  return distinct(found)
    .map(({ box, score }) => ({
      score,
      box: { x: box.x * across, y: box.y * down, width: box.width * across, height: box.height * down },
    }))
    .sort((a, b) => b.box.width * b.box.height - a.box.width * a.box.height);
}

/** @returns boxes in pixels of the picture. */
function detectIn(graph: Graph, picture: Picture): Face[] {
  const { width, height, data } = shrink({ ...picture, channels: 3, stride: 3 }, INPUT_SIDE);
  const [left, top] = [Math.floor((INPUT_SIDE - width) / 2), Math.floor((INPUT_SIDE - height) / 2)];
  // In the middle of black, in [-1, 1].
  const input = new Float32Array(INPUT_SIDE * INPUT_SIDE * 3).fill(-1);
  const line = width * 3;
  for (let y = 0; y < height; y++) {
    const to = ((top + y) * INPUT_SIDE + left) * 3;
    for (let i = 0; i < line; i++) input[to + i] = data[y * line + i]! / 127.5 - 1;
  }
  const outputs = runGraph(graph, input);
  const scores = outputs.find(({ length }) => length === 896);
  const regressors = outputs.find(({ length }) => length === 896 * 16);
  if (scores === undefined || regressors === undefined) throw new Error('This graph is no BlazeFace');
  const [across, down] = [picture.width / width, picture.height / height];
  return readFaces(regressors, scores).map(({ box, score }) => ({
    score,
    box: {
      x: (box.x - left) * across,
      y: (box.y - top) * down,
      width: box.width * across,
      height: box.height * down,
    },
  }));
}

/** @param longer the longer side to come. */
function shrink(source: Parameters<typeof resize>[0], longer: number): Picture {
  const scale = longer / Math.max(source.width, source.height);
  const width = Math.max(1, Math.round(source.width * scale));
  const height = Math.max(1, Math.round(source.height * scale));
  return { data: resize(source, width, height, TRIANGLE), width, height };
}

/**
 * Squares of half the longer side, or of the shorter side if that is less. They cover the picture, and neighbours share
 * half of their pixels. A narrow strip has none.
 */
export function partsOf({ width, height }: Size): Rect[] {
  const side = Math.min(Math.round(Math.max(width, height) / 2), width, height);
  if (side < LEAST_PART) return [];
  const starts = (length: number) => {
    const steps = Math.ceil((2 * (length - side)) / side);
    return Array.from({ length: steps + 1 }, (_, step) => (steps === 0 ? 0 : Math.round((step * (length - side)) / steps)));
  };
  return starts(height).flatMap((y) => starts(width).map((x) => ({ x, y, width: side, height: side })));
}

function cut({ data, width }: Picture, part: Rect): Picture {
  const result = new Float32Array(part.width * part.height * 3);
  for (let y = 0; y < part.height; y++) {
    const from = ((part.y + y) * width + part.x) * 3;
    result.set(data.subarray(from, from + part.width * 3), y * part.width * 3);
  }
  return { data: result, width: part.width, height: part.height };
}

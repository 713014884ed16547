import type { Rect } from '../geometry';

/** A face in a photo. */
export interface Face {
  /** From the eyebrows to the chin, in pixels of the photo. It may reach beyond the photo's edge. */
  readonly box: Rect;
  /** How sure the detector is, from {@link LEAST_SCORE} to 1. */
  readonly score: number;
}

/** The side of the detector's input, in pixels. Its boxes are in these pixels, too. */
export const INPUT_SIDE = 128;
/** With less it is no face. MediaPipe's own 0.5 found faces in a galaxy and in a motorcycle; 0.7 does not. */
const LEAST_SCORE = 0.7;
/** Boxes that share more than this (intersection over union) are of one face, as in MediaPipe. */
const SAME_FACE = 0.3;
/** Rows of the detector's two grids, and how many boxes it says in each of their cells. */
const GRIDS = [
  { side: 16, boxes: 2 },
  { side: 8, boxes: 6 },
] as const;
/** Values of one box: its middle, its size, and six points of the face, which are not used. */
const VALUES = 16;

/**
 * Reads the faces out of BlazeFace's two outputs: boxes around the middles of 896 cells, and their scores. Boxes of one
 * face become one, their average weighted by score, as in MediaPipe (arXiv:1907.05047).
 *
 * @param regressors [896, 16], in pixels of the input, relative to the cell's middle.
 * @param scores [896], before the sigmoid.
 * @returns boxes in pixels of the input, the surest one first.
 */
export function readFaces(regressors: Float32Array, scores: Float32Array): Face[] {
  let left = candidates(regressors, scores).sort((a, b) => b.score - a.score);
  const faces: Face[] = [];
  while (left.length > 0) {
    const surest = left[0]!;
    const same = left.filter((other) => other === surest || overlap(surest.box, other.box) > SAME_FACE);
    faces.push({ score: surest.score, box: average(same) });
    left = left.filter((other) => !same.includes(other));
  }
  return faces;
}

/** Of faces that were found more than once, in the whole photo and in its parts, the surest. */
export function distinct(faces: readonly Face[]): Face[] {
  const kept: Face[] = [];
  for (const face of faces.toSorted((a, b) => b.score - a.score)) {
    if (kept.every(({ box }) => overlap(box, face.box) <= SAME_FACE)) kept.push(face);
  }
  return kept;
}

function candidates(regressors: Float32Array, scores: Float32Array): Face[] {
  const found: Face[] = [];
  let index = 0;
  for (const { side, boxes } of GRIDS) {
    for (let cell = 0; cell < side * side; cell++) {
      for (let box = 0; box < boxes; box++, index++) {
        const score = 1 / (1 + Math.exp(-scores[index]!));
        if (!(score >= LEAST_SCORE)) continue;
        const [dx, dy, width, height] = [0, 1, 2, 3].map((value) => regressors[index * VALUES + value]!) as [number, number, number, number];
        const x = ((cell % side) + 0.5) * (INPUT_SIDE / side) + dx - width / 2;
        const y = (Math.floor(cell / side) + 0.5) * (INPUT_SIDE / side) + dy - height / 2;
        found.push({ score, box: { x, y, width, height } });
      }
    }
  }
  return found;
}

function overlap(a: Rect, b: Rect): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const shared = Math.max(0, width) * Math.max(0, height);
  return shared / (a.width * a.height + b.width * b.height - shared);
}

function average(boxes: readonly Face[]): Rect {
  const total = boxes.reduce((sum, { score }) => sum + score, 0);
  const of = (side: keyof Rect) => boxes.reduce((sum, { box, score }) => sum + box[side] * score, 0) / total;
  return { x: of('x'), y: of('y'), width: of('width'), height: of('height') };
}

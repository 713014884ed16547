/** The words about videos. */
import { formatBytes, formatSeconds } from '../../lib/format';

export const TITLE = 'Video';
export const RESULT_TITLE = 'Drawn video';
export const HINT = 'It appears here.';
export const DRAW = 'Draw the video';
export const CLOSE = 'Close';
export const DOWNLOAD = 'Download video';
export const CANCELLED = 'Cancelled. The video is still here.';
export const DONE = 'The video is drawn.';
export const SILENT = 'Its sound is left out, because this browser cannot write it.';
export const UNSUPPORTED =
  'This browser cannot write videos (it has no WebCodecs), so it can draw none. Chrome, Edge, Safari and Firefox on a computer can.';
export const NO_ENCODER = 'This browser cannot write a video of this size. Try a smaller video, or another browser.';

export function unreadable(name: string): string {
  return `${name} cannot be read as a video here. Choose an MP4, MOV, WebM or MKV file.`;
}

export function undecodable(name: string, codec: string | null): string {
  return `This browser cannot decode ${name}${codec === null ? '' : ` (${codec})`}. Save it as H.264 or VP9, and open that.`;
}

/** "3.0 s of 640 × 480 pixels: 36 pictures, about 12 s to draw." */
export function facts(seconds: number, width: number, height: number, pictures: number, ms: number): string {
  return `${formatSeconds(1000 * seconds)} of ${width} × ${height} pixels: ${pictures} pictures, about ${formatSeconds(ms)} to draw.`;
}

/** "Picture 7 of about 36, about 9 s left." */
export function turn(number: number, all: number, leftMs: number | null): string {
  const left = leftMs === null ? '' : `, about ${formatSeconds(leftMs)} left`;
  return `Picture ${number} of about ${Math.max(number, all)}${left}.`;
}

/** "36 pictures, 0.4 MB." */
export function made(pictures: number, bytes: number): string {
  return `${pictures} pictures, ${formatBytes(bytes)}.`;
}

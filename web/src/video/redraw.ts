import {
  BlobSource,
  BufferTarget,
  Conversion,
  getFirstEncodableVideoCodec,
  Input,
  type InputVideoTrack,
  MATROSKA,
  MP4,
  Mp4OutputFormat,
  Output,
  QTFF,
  type VideoSample,
  WEBM,
  WebMOutputFormat,
} from 'mediabunny';
import { U2NetError } from '../../lib/errors';
import type { Size } from '../../lib/geometry';
import { Failure, words } from '../words/words';

/** Films that are drawn by hand have 12 pictures a second. More would only take longer. */
const RATE = 12;
/** Packets from which a video's own rate is measured. */
const MEASURED = 100;

/** A video file, as it was opened. */
export interface Video extends Size {
  readonly seconds: number;
  /** Pictures a second that are drawn. */
  readonly rate: number;
  close(): void;
  /** Draws it. @throws U2NetError, or what `draw` throws. */
  redraw(job: Redrawing): Promise<Redrawn>;
}

export interface Redrawing {
  /** The size of the drawn video. Both sides are even. */
  readonly size: Size;
  readonly stopped: AbortSignal;
  /** Draws one picture. @param frame the caller closes it. @param ms when it is shown. */
  draw(frame: VideoSample, ms: number): Promise<OffscreenCanvas>;
}

export interface Redrawn {
  readonly file: Blob;
  /** Whether the video's sound had to be left out. */
  readonly silent: boolean;
}

/** Opens a video file. @throws U2NetError `video-unreadable`, or `not-offered` if this browser cannot draw videos. */
export async function openVideo(file: Blob, name: string): Promise<Video> {
  if (!('VideoEncoder' in globalThis && 'VideoDecoder' in globalThis)) {
    throw new Failure('not-offered', () => words.failures.videosUnsupported);
  }
  const input = new Input({ source: new BlobSource(file), formats: [MP4, QTFF, WEBM, MATROSKA] });
  try {
    const track = await trackOf(input, name);
    if (!(await track.canDecode())) {
      const codec = await track.getCodec();
      throw new Failure('video-unreadable', () => words.failures.videoUndecodable(name, codec));
    }
    const [width, height] = [await track.getDisplayWidth(), await track.getDisplayHeight()];
    const seconds = await input.computeDuration();
    const { averagePacketRate } = await track.computePacketStats(MEASURED);
    const rate = Math.min(RATE, averagePacketRate);
    const close = () => input.dispose();
    return { width, height, seconds, rate, close, redraw: (job) => redraw(input, averagePacketRate > RATE, job) };
  } catch (cause) {
    input.dispose();
    if (cause instanceof U2NetError) throw cause;
    throw new Failure('video-unreadable', () => words.failures.videoUnreadable(name), { cause });
  }
}

async function trackOf(input: Input, name: string): Promise<InputVideoTrack> {
  const track = (await input.canRead()) ? await input.getPrimaryVideoTrack() : null;
  if (track === null) throw new Failure('video-unreadable', () => words.failures.videoUnreadable(name));
  return track;
}

async function redraw(input: Input, fast: boolean, { size, stopped, draw }: Redrawing): Promise<Redrawn> {
  // Most programs play H.264 in MP4. Browsers without an encoder of it write VP9 or VP8 in WebM.
  const codec = await getFirstEncodableVideoCodec(['avc', 'vp9', 'vp8'], size);
  if (codec === null) throw new Failure('not-offered', () => words.failures.noVideoEncoder);
  const target = new BufferTarget();
  const format = codec === 'avc' ? new Mp4OutputFormat() : new WebMOutputFormat();
  const output = new Output({ format, target });
  const conversion = await Conversion.init({
    input,
    output,
    tracks: 'primary',
    tags: {},
    showWarnings: false,
    video: {
      codec,
      forceTranscode: true,
      allowTransformationMetadata: false,
      ...(fast ? { frameRate: RATE } : {}),
      process: (sample) => draw(sample, 1000 * sample.timestamp),
      processedWidth: size.width,
      processedHeight: size.height,
    },
  });
  if (!conversion.isValid) throw new Failure('not-offered', () => words.failures.noVideoEncoder);
  const cancel = () => void conversion.cancel();
  stopped.addEventListener('abort', cancel);
  try {
    await conversion.execute();
  } finally {
    stopped.removeEventListener('abort', cancel);
  }
  const silent = conversion.discardedTracks.some(({ track }) => track.type === 'audio');
  return { file: new Blob([target.buffer!], { type: await output.getMimeType() }), silent };
}

import { frameOf } from '../../lib/photo/frame';
import { byId } from '../dom';
import { Failure, words } from '../words/words';

/** The device's camera, shown in the photo's place. */
export class Camera {
  readonly #view = byId('camera-view', HTMLElement);
  readonly #video = byId('camera', HTMLVideoElement);
  #stream: MediaStream | undefined;
  #mirrored = false;

  get isOpen(): boolean {
    return this.#stream !== undefined;
  }

  /** Whether the camera faces the person. Then its picture is mirrored. */
  get mirrored(): boolean {
    return this.#mirrored;
  }

  /**
   * @param facing whether to take the camera that faces the person, where there are two.
   * @throws U2NetError `camera-unavailable`.
   */
  async open(facing: boolean): Promise<void> {
    this.close();
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: facing ? 'user' : 'environment', width: { ideal: 1280 }, height: { ideal: 960 } },
      });
    } catch (cause) {
      throw new Failure('camera-unavailable', () => explain(cause), { cause });
    }
    this.#video.srcObject = this.#stream;
    await this.#video.play();
    // If the camera faces the person, the view is mirrored. The frames themselves are not.
    const { facingMode } = this.#stream.getVideoTracks()[0]?.getSettings() ?? {};
    this.#mirrored = facingMode === undefined ? facing : facingMode !== 'environment';
    this.#video.classList.toggle('mirrored', this.#mirrored);
    this.#view.style.setProperty('--aspect', String(this.#video.videoWidth / this.#video.videoHeight));
    this.#view.hidden = false;
    const devices = await navigator.mediaDevices.enumerateDevices();
    byId('camera-turn', HTMLElement).hidden = devices.filter(({ kind }) => kind === 'videoinput').length < 2;
  }

  close(): void {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = undefined;
    this.#video.srcObject = null;
    this.#view.hidden = true;
  }

  /** What the camera sees now. */
  frame(): Promise<ImageBitmap | VideoFrame> {
    return frameOf(this.#video);
  }

  /** What the camera sees now, as a PNG file. */
  async capture(): Promise<Blob> {
    const frame = await createImageBitmap(this.#video);
    const canvas = new OffscreenCanvas(frame.width, frame.height);
    canvas.getContext('bitmaprenderer')?.transferFromImageBitmap(frame);
    return canvas.convertToBlob({ type: 'image/png' });
  }
}

function explain(cause: unknown): string {
  switch (cause instanceof DOMException ? cause.name : '') {
    case 'NotAllowedError':
      return words.failures.cameraDenied;
    case 'NotFoundError':
      return words.failures.noCamera;
    case 'NotReadableError':
      return words.failures.cameraInUse;
    default:
      return words.failures.cameraFailed;
  }
}

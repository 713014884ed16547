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

  /** Opens the camera that faces the person, where there are two. @throws U2NetError `camera-unavailable`. */
  open(): Promise<void> {
    return this.#open({ facingMode: 'user' }, true);
  }

  /**
   * Changes to the camera on the other side of the device. Where the browser does not tell the sides, it changes to the
   * next camera.
   *
   * @throws U2NetError as {@link open}.
   */
  async turn(): Promise<void> {
    const { facingMode, deviceId } = this.#stream?.getVideoTracks()[0]?.getSettings() ?? {};
    if (facingMode !== undefined) {
      const facing = facingMode === 'environment';
      return this.#open({ facingMode: facing ? 'user' : 'environment' }, facing);
    }
    const ids = (await cameras()).map((camera) => camera.deviceId);
    const next = ids[(ids.indexOf(deviceId ?? '') + 1) % ids.length];
    return this.#open(next === undefined ? {} : { deviceId: { exact: next } }, this.#mirrored);
  }

  async #open(wanted: MediaTrackConstraints, facing: boolean): Promise<void> {
    this.close();
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({
        video: { ...wanted, width: { ideal: 1280 }, height: { ideal: 960 } },
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
    byId('camera-turn', HTMLElement).hidden = (await cameras()).length < 2;
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

async function cameras(): Promise<MediaDeviceInfo[]> {
  return (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === 'videoinput');
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

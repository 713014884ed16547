/**
 * What a video shows now. A VideoFrame refers to the picture that the browser decoded, so the worker gets it without a
 * copy. In browsers without VideoFrame, the picture is copied once.
 */
export function frameOf(video: HTMLVideoElement): Promise<ImageBitmap | VideoFrame> {
  if ('VideoFrame' in globalThis) return Promise.resolve(new VideoFrame(video));
  return createImageBitmap(video);
}

/** The size at which a picture in memory is to be shown. */
export function shownSize(picture: ImageBitmap | VideoFrame): { width: number; height: number } {
  if (picture instanceof ImageBitmap) return { width: picture.width, height: picture.height };
  return { width: picture.displayWidth, height: picture.displayHeight };
}

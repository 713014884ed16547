/** What went wrong on the page itself, in English. What goes wrong in the library is in lib/messages.ts. */
export const failures = {
  insecure:
    'Browsers allow what this page needs only over https:// or on localhost. Open it at such an address.',
  forbidden: (directive: string, source: string) =>
    `The server of this page forbids what it needs: its Content-Security-Policy lacks ${source} in ${directive}. The site's owner has to add that.`,
  cameraDenied:
    "The camera may not be used. Allow it in the browser's settings for this site, or choose a photo.",
  noCamera: 'No camera was found. Connect one, or choose a photo.',
  cameraInUse: 'The camera is in use elsewhere. Close the other program and try again, or choose a photo.',
  cameraFailed: 'The camera could not be started. Choose a photo instead.',
  otherHost: (name: string, host: string) =>
    `${host} cannot be reached, or does not let other pages read ${name}. Save the image there, or copy the image itself, and open it here.`,
  addressFailed: (name: string, reason: string) =>
    `${name} could not be loaded (${reason}). Check its address, or choose a file.`,
  addressDamaged: 'The pasted data: address is damaged. Copy it again.',
  sampleFailed: (name: string) =>
    `The sample ${name} could not be loaded. Check the connection, or choose a photo of your own.`,
  copyRefused: 'This browser did not let the drawing be copied. Download it instead.',
  notHandedOver: (reason: string) => `The picture could not be handed over: ${reason}`,
  sharesNoPictures: 'this browser shares no pictures. Save it instead.',
  wouldNotFit: (reason: string) =>
    `${reason}. It can be drawn on the processor instead, or at a smaller resolution.`,
  drawOnProcessor: 'Draw on the processor',
  tryAnyway: 'Try all the same',
  partMissing: 'A part of this page could not be loaded. Check the connection, and open the files again.',
  notEncoded: 'The drawing could not be written to a file.',
  emptyFolder: 'There is no file in this folder. Drop one that has photos in it.',
  folderUnreadable: (name: string) => `The folder ${name} cannot be read. Drop its photos instead.`,
  chooseSmaller: (reason: string) => `${reason}. Choose your processor or a smaller resolution under "Advanced".`,
  videosUnsupported:
    'This browser cannot write videos (it has no WebCodecs), so it can draw none. Chrome, Edge, Safari and Firefox on a computer can.',
  noVideoEncoder: 'This browser cannot write a video of this size. Try a smaller video, or another browser.',
  videoUnreadable: (name: string) =>
    `${name} cannot be read as a video here. Choose an MP4, MOV, WebM or MKV file.`,
  videoUndecodable: (name: string, codec: string | null) =>
    `This browser cannot decode ${name}${codec === null ? '' : ` (${codec})`}. Save it as H.264 or VP9, and open that.`,
};

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
};

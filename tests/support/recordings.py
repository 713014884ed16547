"""Video files for the tests of the page."""

import base64

from playwright.sync_api import Page

# A video of a disc that moves over a striped ground, recorded by the browser itself.
RECORD = """async ([mime, pictures, alpha]) => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 240 });
  const context = canvas.getContext('2d', { alpha });
  const paint = (picture) => {
    for (let x = 0; x < 320; x += 20) {
      context.fillStyle = x % 40 ? '#667' : '#99a';
      context.fillRect(x, 0, 20, 240);
    }
    context.fillStyle = '#fff';
    context.beginPath();
    context.arc(80 + (160 * picture) / pictures, 120, 60, 0, 7);
    context.fill();
  };
  // The first picture must not be an empty canvas.
  paint(0);
  const stream = canvas.captureStream(0);
  const recorder = new MediaRecorder(stream, { mimeType: mime });
  const parts = [];
  let kept = 0;
  recorder.ondataavailable = ({ data }) => {
    parts.push(data);
    kept += data.size;
  };
  recorder.start();
  for (let picture = 0; picture < pictures; picture++) {
    paint(picture);
    stream.getVideoTracks()[0].requestFrame();
    // On a busy machine the recorder leaves out what comes too fast.
    const before = kept;
    for (let wait = 0; wait < 40 && kept === before; wait++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      recorder.requestData();
    }
  }
  const stopped = new Promise((resolve) => (recorder.onstop = resolve));
  recorder.stop();
  await stopped;
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}"""


def recorded(page: Page, mime: str, pictures: int = 16, alpha: bool = False) -> bytes:
    """Have the page record a video. Return its file."""
    assert page.evaluate("(mime) => MediaRecorder.isTypeSupported(mime)", mime)
    return base64.b64decode(page.evaluate(RECORD, [mime, pictures, alpha]))

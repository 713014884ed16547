import { U2NetError } from '../../lib/errors';
import type { Sample } from '../../lib/site/catalogue';
import { byId } from '../dom';

/** Offers the sample photos as buttons. `open` gets the file of the pressed one. */
export function offerSamples(
  samples: readonly Sample[],
  base: URL,
  open: (file: Blob, name: string) => void,
  onError: (error: U2NetError) => void,
): void {
  const buttons = samples.map((sample) => {
    const address = new URL(sample.url, base).href;
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'sample';
    button.dataset['testid'] = 'sample';
    button.title = `${sample.name} (${sample.credit})`;
    const image = document.createElement('img');
    image.src = new URL(sample.thumbnail, base).href;
    image.alt = `Sample photo: ${sample.name}`;
    image.loading = 'lazy';
    image.decoding = 'async';
    button.append(image);
    button.addEventListener('click', () => {
      fetchSample(address, sample.name).then(
        // The file's own name has a digest in it, and what is saved is named after the photo.
        (file) => open(file, `${sample.name.toLowerCase()}.png`),
        onError,
      );
    });
    return button;
  });
  byId('samples', HTMLElement).replaceChildren(...buttons);
  byId('credits', HTMLElement).textContent =
    samples.length === 0
      ? ''
      : `Sample photos: ${samples.map(({ name, credit }) => `${name} (${credit})`).join('; ')}.`;
}

async function fetchSample(address: string, name: string): Promise<Blob> {
  try {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return await response.blob();
  } catch (cause) {
    throw new U2NetError(
      'download-interrupted',
      `The sample ${name} could not be loaded. Check the connection, or choose a photo of your own.`,
      {
        cause,
      },
    );
  }
}

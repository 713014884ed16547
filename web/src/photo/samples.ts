import { Reason, type U2NetError } from '../../lib/errors';
import { said } from '../../lib/messages';
import type { Sample } from '../../lib/site/catalogue';
import { byId } from '../dom';
import { Failure, words, write } from '../words/words';

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
    write(button, () => credited(sample), 'title');
    const image = document.createElement('img');
    image.src = new URL(sample.thumbnail, base).href;
    write(image, () => words.talk.samplePhoto(named(sample)), 'alt');
    image.loading = 'lazy';
    image.decoding = 'async';
    button.append(image);
    button.addEventListener('click', () => {
      fetchSample(address, sample).then(
        // The file's own name has a digest in it, and what is saved is named after the photo.
        (file) => open(file, `${sample.name.toLowerCase()}.png`),
        onError,
      );
    });
    return button;
  });
  byId('samples', HTMLElement).replaceChildren(...buttons);
  const all = () => (samples.length === 0 ? '' : words.talk.sampleCredits(samples.map(credited)));
  write(byId('credits', HTMLElement), all);
}

/** The catalogue names its samples in English. */
function named({ name }: Sample): string {
  return words.talk.samples[name] ?? name;
}

function credited(sample: Sample): string {
  return `${named(sample)} (${sample.credit})`;
}

async function fetchSample(address: string, sample: Sample): Promise<Blob> {
  try {
    const response = await fetch(address);
    if (!response.ok) throw new Reason(said('serverAnswered', response.status));
    return await response.blob();
  } catch (cause) {
    throw new Failure('download-interrupted', () => words.failures.sampleFailed(named(sample)), { cause });
  }
}

import type { U2NetError } from '../../lib/errors';
import { byId } from '../dom';
import { addressIn, fetchPhoto, nameOf } from './address';

/**
 * Calls `open` with each image file that is chosen, dropped anywhere on the page, or pasted, as a file or by its address;
 * `onFetch` while one is fetched from its address, `onError` if there is none.
 */
export function listenForPhotos(
  open: (file: Blob, name: string) => void,
  onFetch: (name: string) => void,
  onError: (error: U2NetError) => void,
): void {
  const input = byId('file', HTMLInputElement);
  input.addEventListener('change', () => {
    take(input.files, open);
    // Clear the value, so that choosing the same file again counts as a change.
    input.value = '';
  });

  const { classList } = document.documentElement;
  document.addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
    classList.add('dropping');
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) classList.remove('dropping');
  });
  document.addEventListener('drop', (event) => {
    classList.remove('dropping');
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    take(event.dataTransfer.files, open);
  });

  document.addEventListener('paste', ({ clipboardData }) => {
    if (clipboardData === null) return;
    if (clipboardData.files.length > 0) take(clipboardData.files, open);
    else {
      const address = addressIn(clipboardData.getData('text'));
      if (address === null) return;
      onFetch(nameOf(address));
      fetchPhoto(address).then((photo) => open(photo, nameOf(address)), onError);
    }
  });
}

function take(files: FileList | null | undefined, open: (file: Blob, name: string) => void): void {
  const file = files?.[0];
  if (file !== undefined) open(file, file.name);
}

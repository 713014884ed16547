import type { U2NetError } from '../../lib/errors';
import { byId } from '../dom';
import { droppedFiles } from '../many/dropped_files';
import { addressIn, fetchPhoto, nameOf } from './address';

/**
 * Calls `open` with each file that is chosen, dropped anywhere on the page, or pasted, as a file or by its address; `openMany`
 * with several files that come together, or with a dropped folder's; `onFetch` when the page begins to fetch an address;
 * `onError` when a folder or an address gives no file.
 */
export function listenForPhotos(
  open: (file: Blob, name: string) => void,
  openMany: (files: readonly File[]) => void,
  onFetch: (name: string) => void,
  onError: (error: U2NetError) => void,
): void {
  const take = (files: Iterable<File>) => {
    const [first, ...others] = files;
    if (first === undefined) return;
    if (others.length === 0) open(first, first.name);
    else openMany([first, ...others]);
  };
  const input = byId('file', HTMLInputElement);
  input.addEventListener('change', () => {
    take(input.files ?? []);
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
    droppedFiles(event.dataTransfer).then(take, onError);
  });

  document.addEventListener('paste', ({ clipboardData }) => {
    if (clipboardData === null) return;
    if (clipboardData.files.length > 0) take(clipboardData.files);
    else {
      const address = addressIn(clipboardData.getData('text'));
      if (address === null) return;
      onFetch(nameOf(address));
      fetchPhoto(address).then((photo) => open(photo, nameOf(address)), onError);
    }
  });
}

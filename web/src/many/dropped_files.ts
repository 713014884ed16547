import { U2NetError } from '../../lib/errors';
import { Failure, words } from '../words/words';

/** Files that systems put into folders by themselves. Nobody means to drop them. */
const SYSTEM_FILE = /^(\..*|thumbs\.db|desktop\.ini)$/i;

/**
 * The files of a drop, and those in dropped folders, however deep.
 *
 * @returns the files in the order of the drop. A folder's are in the order of their names.
 * @throws U2NetError `photo-unreadable` if a folder cannot be read, or if there is only a folder without files.
 */
export async function droppedFiles(transfer: DataTransfer): Promise<File[]> {
  // The list is empty as soon as the event is over, so all is taken out of it before anything is waited for.
  const dropped = Array.from(transfer.items)
    .filter(({ kind }) => kind === 'file')
    .map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const found = await Promise.all(
    dropped.map(({ entry, file }) => (entry?.isDirectory ? filesBelow(entry as FileSystemDirectoryEntry) : file)),
  );
  const files = found.flat().filter((file) => file !== null);
  if (files.length === 0 && dropped.length > 0) throw new Failure('photo-unreadable', () => words.failures.emptyFolder);
  return files;
}

async function filesBelow(folder: FileSystemDirectoryEntry): Promise<File[]> {
  try {
    const entries = (await entriesOf(folder)).filter(({ name }) => !SYSTEM_FILE.test(name));
    entries.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
    const found: File[] = [];
    for (const entry of entries) {
      if (entry.isDirectory) found.push(...(await filesBelow(entry as FileSystemDirectoryEntry)));
      else found.push(await fileOf(entry as FileSystemFileEntry));
    }
    return found;
  } catch (cause) {
    if (cause instanceof U2NetError) throw cause;
    throw new Failure('photo-unreadable', () => words.failures.folderUnreadable(folder.name), { cause });
  }
}

/** A reader gives a folder's entries in parts. An empty part ends the list. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) return all;
    all.push(...part);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

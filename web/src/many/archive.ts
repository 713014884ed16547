import { productOf } from '../drawing/choices';
import { saveFile } from '../save';
import type { Item } from './item';
import type { Shelf } from './shelf';

/**
 * Saves files in one ZIP archive. They are stored as they are, because PNG files are compressed already. The library comes when it is
 * needed.
 */
export async function saveAll(made: readonly NonNullable<Item['made']>[], shelf: Shelf): Promise<void> {
  const { downloadZip } = await import('client-zip');
  const lastModified = new Date();
  const products = new Set(made.map(({ choice }) => `${productOf(choice)}s`));
  const files = made.map(({ file, name }) => ({ name, input: file, lastModified }));
  const archive = await shelf.keep(() => downloadZip(files).body!);
  saveFile(archive, `${[...products].join('-and-')}.zip`);
  shelf.discard([archive]);
}

/** How the folders of all pages begin, in the storage that the browser gives to the site. */
export const PREFIX = 'shelf ';

/** Removes the folders of pages that are closed. */
export async function sweepShelves(): Promise<void> {
  const { held = [] } = await navigator.locks.query();
  const open = new Set(held.map(({ name }) => name));
  const root = await navigator.storage.getDirectory();
  const names: string[] = [];
  for await (const name of root.keys()) names.push(name);
  const closed = names.filter((name) => name.startsWith(PREFIX) && !open.has(name));
  await Promise.all(closed.map((name) => root.removeEntry(name, { recursive: true })));
}

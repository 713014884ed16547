import type { Choice } from '../../lib/choice/choose';
import type { U2NetError } from '../../lib/errors';
import { drawAlike } from '../drawing/choices';
import type { Kept } from './picture';

/** One of many photos. */
export interface Item {
  readonly file: File;
  /** What was made of it, and how; undefined until it is drawn. */
  made?: Kept & { readonly name: string; readonly choice: Choice };
  /** Why it was not drawn. */
  failure?: U2NetError;
}

/** Whether there is nothing of a photo, or what would now be drawn in another way. A file that is no photo stays none. */
export function isLeft({ made, failure }: Item, now: Choice): boolean {
  if (made === undefined) return failure === undefined;
  return !drawAlike(made.choice, now);
}

/** The words about many photos. */
import type { U2NetError } from '../../lib/errors';
import { isVideo } from '../video/kind';
import { explain, words } from '../words/words';

/** Why a file was not drawn. Its name comes first. */
export function whyNot(file: File, failure: U2NetError): string {
  const { name } = file;
  if (isVideo(file, name)) return words.many.isVideo(name);
  if (failure.code === 'photo-unreadable') return words.many.isNoImage(name);
  const reason = explain(failure);
  return reason.startsWith(name) ? reason : words.many.failed(name, reason);
}

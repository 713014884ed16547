import { type Said, said, textOf } from './messages';

/** What went wrong, for code that must act on it. The message is for the person. */
export type ErrorCode =
  | 'insecure-origin'
  | 'catalogue-invalid'
  | 'download-interrupted'
  | 'file-corrupt'
  | 'model-invalid'
  | 'photo-unreadable'
  | 'photo-too-large'
  | 'video-unreadable'
  | 'camera-unavailable'
  | 'backend-unavailable'
  | 'context-lost'
  | 'wrong-results'
  | 'policy'
  | 'out-of-memory'
  | 'worker-unavailable'
  | 'not-offered'
  | 'disposed'
  | 'cancelled'
  | 'internal';

/** A failure whose message says what happened and what to do next. */
export class U2NetError extends Error {
  override readonly name = 'U2NetError';
  readonly code: ErrorCode;
  /** The message as data. A page in another language translates it. */
  readonly said: Said;

  constructor(code: ErrorCode, message: Said | string, options?: ErrorOptions) {
    const given = typeof message === 'string' ? said('verbatim', message) : message;
    super(textOf(given), options);
    this.code = code;
    this.said = given;
  }
}

/** What is thrown to be the reason of a {@link U2NetError}. */
export class Reason extends Error {
  readonly said: Said;

  constructor(reason: Said) {
    super(textOf(reason));
    this.said = reason;
  }
}

/** Why something failed, as anything that was thrown says it. */
export function reasonOf(cause: unknown): Said {
  if (cause instanceof Reason || cause instanceof U2NetError) return cause.said;
  return said('verbatim', cause instanceof Error ? cause.message : String(cause));
}

/** Wraps anything thrown, so that the person always gets a {@link U2NetError}. */
export function asU2NetError(cause: unknown): U2NetError {
  if (cause instanceof U2NetError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof RangeError || /out of memory|allocation failed|Aborted\(OOM/i.test(text)) {
    return new U2NetError('out-of-memory', said('outOfMemory', text), { cause });
  }
  return new U2NetError('internal', said('drawingFailed', reasonOf(cause)), { cause });
}

/** Whether a GPU failed in a way that a processor would not. */
export function isGpuFailure({ code }: U2NetError): boolean {
  return code === 'context-lost' || code === 'backend-unavailable' || code === 'wrong-results';
}

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

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Wraps anything thrown, so that the person always gets a {@link U2NetError}. */
export function asU2NetError(cause: unknown): U2NetError {
  if (cause instanceof U2NetError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof RangeError || /out of memory|allocation failed|Aborted\(OOM/i.test(text)) {
    return new U2NetError(
      'out-of-memory',
      `There was not enough memory for this drawing (${text}). Choose a smaller resolution or a smaller crop, and draw again.`,
      { cause },
    );
  }
  return new U2NetError(
    'internal',
    `The drawing failed: ${text}. Try again; if it fails again, choose another backend.`,
    {
      cause,
    },
  );
}

/** Whether a GPU failed in a way that a processor would not. */
export function isGpuFailure({ code }: U2NetError): boolean {
  return code === 'context-lost' || code === 'backend-unavailable' || code === 'wrong-results';
}

/**
 * What a server's content security policy refused. The failure that follows from it ("cannot be read as an image") says
 * nothing of the cause, so it is named instead.
 */
import type { U2NetError } from '../../lib/errors';
import { Failure, words } from '../words/words';

/** A failure that follows from a refusal comes at once. */
const SOON_MS = 2000;
let refused: { readonly directive: string; readonly source: string; readonly time: number } | null = null;

/** Notes what the policy refuses the page. */
export function watchPolicy(): void {
  document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, disposition }) => {
    if (disposition === 'enforce') noteRefusal(effectiveDirective, blockedURI);
  });
}

/** Notes a refusal, also one that a worker reports. */
export function noteRefusal(directive: string, blocked: string): void {
  refused = { directive, source: sourceOf(blocked), time: performance.now() };
}

/** The refusal as an error if one has just happened, else the error itself. */
export function named(error: U2NetError): U2NetError {
  if (refused === null || performance.now() - refused.time > SOON_MS) return error;
  const { directive, source } = refused;
  return new Failure('policy', () => words.failures.forbidden(directive, source), { cause: error });
}

/** What the policy has to allow. */
function sourceOf(blocked: string): string {
  if (blocked === 'wasm-eval') return "'wasm-unsafe-eval'";
  return blocked === 'blob' || blocked.startsWith('blob:') ? 'blob:' : "'self'";
}

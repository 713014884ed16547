import { U2NetError } from '../errors';
import type { Artifact } from '../site/catalogue';

/** A model that cannot be used, and why. */
export function invalid(artifact: Artifact, reason: string): U2NetError {
  return new U2NetError(
    'model-invalid',
    `${artifact.model.url} cannot be used: ${reason}. Choose another resolution or precision. The owner of this site has to convert this one again.`,
  );
}

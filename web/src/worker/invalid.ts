import type { Artifact } from '../catalogue';
import { PageError } from '../errors';

/** A model that cannot be used, and why. */
export function invalid(artifact: Artifact, reason: string): PageError {
  return new PageError(
    'model-invalid',
    `${artifact.model.url} cannot be used: ${reason}. Choose another resolution or precision; whoever runs this site has to convert this one again.`,
  );
}

import { U2NetError } from '../errors';
import { said } from '../messages';
import type { Artifact } from '../site/catalogue';

/** A model that cannot be used, and why. */
export function invalid(artifact: Artifact, reason: string): U2NetError {
  return new U2NetError('model-invalid', said('modelInvalid', artifact.model.url, reason));
}

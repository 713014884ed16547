import type { Choice } from '../../lib/choice/choose';

/** What is made of many photos or of a video, as files are named after it. */
export function productOf({ model }: Choice): 'cut-out' | 'portrait' {
  return model.task === 'saliency' ? 'cut-out' : 'portrait';
}

/** Whether two choices make the same of a photo, whatever computes it. */
export function drawAlike(a: Choice, b: Choice): boolean {
  return a.model === b.model && a.artifact === b.artifact;
}

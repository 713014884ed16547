/** The words about what the page is doing. */
import { formatSeconds } from '../../lib/format';
import type { Stage } from '../../lib/worker/protocol';

export const STAGES: Record<Stage, string> = {
  engine: 'Loading what computes.',
  download: 'Loading the model.',
  load: 'Setting the model up.',
  warmup: 'Compiling for your graphics chip.',
  check: 'Checking this device.',
  run: 'Drawing.',
  finish: 'Finishing.',
};

/** "1.2 s of about 3 s" */
export function elapsed(ms: number, expectedMs: number): string {
  return `${(ms / 1000).toFixed(1)} s of about ${formatSeconds(expectedMs)}`;
}

/** Why the page cannot do something under a server's content security policy. */
export function forbidden(directive: string, source: string): string {
  return `The server of this page forbids what it needs: its Content-Security-Policy lacks ${source} in ${directive}. The site's owner has to add that.`;
}

/** The words about what the page is doing. */
import { formatBytes, formatSeconds } from '../../lib/format';
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

/** "Loading the model. 0.5 MB of 1.3 MB" */
export function loading(stage: Stage, loaded: number, total: number): string {
  return `${STAGES[stage]} ${formatBytes(loaded)} of ${formatBytes(total)}`;
}

/** "1.2 s of about 3 s" */
export function elapsed(ms: number, expectedMs: number): string {
  return `${(ms / 1000).toFixed(1)} s of about ${formatSeconds(expectedMs)}`;
}

/** Why the page cannot do something under a server's content security policy. */
export function forbidden(directive: string, source: string): string {
  return `The server of this page forbids what it needs: its Content-Security-Policy lacks ${source} in ${directive}. The site's owner has to add that.`;
}

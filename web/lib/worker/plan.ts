import type { Choice } from '../choice/choose';
import { onProcessor } from '../engines/backends';
import { checkOf } from '../verdict/check';
import type { Plan } from './protocol';

/**
 * What the worker is to do for a choice.
 *
 * @param base address of the catalogue.
 * @param always checks the processor, too, and a GPU that the processor imitates. These compute the same on every machine,
 * so they are checked only when somebody asks.
 */
export function planOf({ model, resolution, artifact, backend }: Choice, base: URL, always = false): Plan {
  const checked = always || !(onProcessor(backend.name) || backend.software);
  return {
    task: model.task,
    resolution: resolution.side,
    artifact,
    base: base.href,
    backend: backend.name,
    threads: backend.threads,
    check: checked ? checkOf(model.probe, model.resolutions, artifact, backend) : null,
  };
}

import type { WorkerClient } from '../worker/client';
import type { Machine } from './choose';
import type { Speeds } from './speed';

/** Finds out what this machine can do. @throws U2NetError as {@link WorkerClient.probe} does. */
export async function inspect(client: WorkerClient, speeds: Speeds): Promise<Machine> {
  const { deviceMemory } = navigator as { deviceMemory?: number };
  return { backends: await client.probe(), deviceMemory, speeds };
}

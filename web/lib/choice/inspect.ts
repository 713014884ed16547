import type { WorkerClient } from '../worker/client';
import type { Machine } from './choose';
import type { Speeds } from './speed';

/** Of a connection, where the browser does not tell. */
const ASSUMED_MEGABITS = 16;

/** Finds out what this machine can do. @throws U2NetError as {@link WorkerClient.probe} does. */
export async function inspect(client: WorkerClient, speeds: Speeds): Promise<Machine> {
  const { deviceMemory, connection } = navigator as { deviceMemory?: number; connection?: { downlink?: number } };
  const megabits = connection?.downlink || ASSUMED_MEGABITS;
  return { backends: await client.probe(), deviceMemory, bytesPerSecond: megabits * 125e3, speeds };
}

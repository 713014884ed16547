import { said } from '../messages';
import { type BackendReport, SOFTWARE, unavailable } from './backends';

/**
 * What the GPU is for either engine.
 *
 * @param download bytes of the engine that are still to be downloaded.
 */
export async function probeWebgpu(name: 'webgpu' | 'litert-webgpu', download: number): Promise<BackendReport> {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  if (!adapter) return unavailable(name, said('noWebgpu'));
  const { vendor, architecture, description, isFallbackAdapter } = adapter.info;
  const device = description || [vendor, architecture].filter(Boolean).join(' ') || 'GPU';
  return {
    name,
    unavailable: null,
    device,
    software: isFallbackAdapter || SOFTWARE.test(`${device} ${architecture}`),
    threads: 1,
    maxTensorBytes: Math.min(adapter.limits.maxStorageBufferBindingSize, adapter.limits.maxBufferSize),
    download,
  };
}

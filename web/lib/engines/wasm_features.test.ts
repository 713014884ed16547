import { supportsFeature } from '@litertjs/core';
import { env } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm/dist/flags_wasm';
import { afterEach, expect, test, vi } from 'vitest';
import { litertBuild } from './litert/probe';
import { hasRelaxedSimd, hasSimd, hasThreads } from './wasm_features';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test('finds out the same as the engines themselves', async () => {
  vi.stubGlobal('crossOriginIsolated', true);
  expect(hasRelaxedSimd()).toBe(await supportsFeature('relaxedSimd'));
  expect(hasSimd()).toBe(await env().getAsync('WASM_HAS_SIMD_SUPPORT'));
  expect(hasThreads()).toBe(await supportsFeature('threads'));
  vi.stubGlobal('crossOriginIsolated', false);
  expect(hasThreads()).toBe(false);
});

test('LiteRT takes the slowest build where nothing newer runs', () => {
  vi.stubGlobal('crossOriginIsolated', false);
  expect(litertBuild()).toBe('plain');
  vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
  expect(litertBuild()).toBe('compat');
});

import type { Dtype, EngineName } from './catalogue';

const PSNR = { float32: 109, float16: 44.9, uint16: 56.2, uint8: 4.3, compact: 41, int8: 41 } as const;

/** A small valid catalogue for tests: two models, four resolutions, three weight formats for each engine. */
export function exampleCatalogue(): unknown {
  return {
    version: 3,
    worker: { url: 'assets/worker.js' },
    faces: { url: 'assets/find_faces.js' },
    models: [
      model('small', 'saliency', 1_131_181, 19.8e9, 4.5e6),
      model('large', 'portrait', 44_009_869, 58.6e9, 176e6),
    ],
    samples: [
      {
        url: 'samples/astronaut.png',
        thumbnail: { url: 'samples/astronaut.webp' },
        name: 'Astronaut',
        credit: 'NASA, public domain',
      },
    ],
  };
}

function model(name: string, task: string, parameters: number, multiplyAdds: number, bytes: number) {
  return {
    name,
    task,
    parameters,
    licence: 'Apache-2.0',
    notice: null,
    own_resolution: 320,
    probe: {
      resolution: 192,
      photo: { url: 'probes/c.png', sha256: 'c'.repeat(64), bytes: 423 },
      reference: { url: 'probes/d.d0', sha256: 'd'.repeat(64), bytes: 2 * 192 * 192 },
      limits: { max_abs: 2e-3, p99_abs: 5e-4 },
    },
    resolutions: [192, 320, 512, 1024].map((resolution) => ({
      resolution,
      multiply_adds: Math.round(multiplyAdds * (resolution / 320) ** 2),
      dtypes: [
        ...(['float32', 'uint16', 'uint8'] as const).map((dtype) => artifact(name, resolution, 'tfjs', dtype, bytes)),
        ...(['float32', 'float16', 'int8'] as const).map((dtype) => artifact(name, resolution, 'litert', dtype, bytes)),
      ],
    })),
  };
}

function artifact(name: string, resolution: number, engine: EngineName, dtype: Dtype, bytes: number) {
  const share = { float32: 1, float16: 0.5, uint16: 0.5, uint8: 0.25, compact: 0.27, int8: 0.3 }[dtype];
  const file = { tfjs: `${dtype}/model.json`, litert: `litert-${dtype}/recipe.json` }[engine];
  return {
    engine,
    dtype,
    model: { url: `models/${name}/${resolution}/${file}`, sha256: 'a'.repeat(64), bytes: 1000 },
    weights: [{ url: 'weights/a.bin', sha256: 'b'.repeat(64), bytes: bytes * share }],
    parity: { max_abs: 1e-4, p99_abs: 1e-5, psnr_db: PSNR[dtype], ssim: 0.99 },
  };
}

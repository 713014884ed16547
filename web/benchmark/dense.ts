/** What TensorFlow.js' wasm reaches at best: one product of two square matrices. */
import { matMul, type Rank, randomUniform } from '@tensorflow/tfjs-core';
import type { Session } from './protocol';

/** @returns a session whose frame is side³ multiply-adds and whose output is the product. */
export function product(side: number): Session {
  const a = randomUniform<Rank.R2>([side, side], -1, 1, 'float32', 1);
  const b = randomUniform<Rank.R2>([side, side], -1, 1, 'float32', 2);
  return {
    async run() {
      const c = matMul(a, b);
      try {
        return (await c.data<'float32'>()) as Float32Array;
      } finally {
        c.dispose();
      }
    },
  };
}

// What transformers.js in Node.js computes from a given input, without any photo: node same_tensor.mjs NAME SIDE X D0
// X and D0 are files of float32: [1, 3, SIDE, SIDE] and [1, 1, SIDE, SIDE]. The folder NAME/ is in the current folder.
import { readFileSync, writeFileSync } from 'node:fs';
import { AutoModel, env, Tensor } from '@huggingface/transformers';

const [name, side, x, d0] = process.argv.slice(2);
env.localModelPath = './';
env.allowRemoteModels = false;
const model = await AutoModel.from_pretrained(name, { dtype: 'fp32' });
const bytes = readFileSync(x);
const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
const output = await model({ x: new Tensor('float32', values, [1, 3, Number(side), Number(side)]) });
writeFileSync(d0, output.d0.data);

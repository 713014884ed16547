import type { Words } from '../words';
import { failures } from './failures';
import { many } from './many';
import { messages } from './messages';
import { page } from './page';
import { talk } from './talk';
import { video } from './video';

export const german: Words = { page, talk, many, video, failures, messages };

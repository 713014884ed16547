import type { Words } from '../words';
import { failures } from './failures';
import { messages } from './messages';
import { page } from './page';
import { talk } from './talk';

export const chinese: Words = { page, talk, failures, messages };

import { MESSAGES as messages } from '../../../lib/messages';
import { failures } from './failures';
import { many } from './many';
import { page } from './page';
import { talk } from './talk';
import { video } from './video';

export const english = { page, talk, many, video, failures, messages };

import { MESSAGES as messages } from '../../../lib/messages';
import { failures } from './failures';
import { page } from './page';
import { talk } from './talk';

export const english = { page, talk, failures, messages };

import { numbersIn } from '../numbers';
import type { Words } from '../words';

const { bytes, seconds } = numbersIn('ja', { seconds: ' 秒', minutes: ' 分' });

export const video: Words['video'] = {
  cancelled: '中止しました。動画はそのまま残っています。',
  done: '動画を描きました。',
  silent: 'このブラウザは音声を書き出せないため、音声はありません。',
  facts: (length, width, height, pictures, ms) =>
    `${seconds(length)}、${width} × ${height} ピクセル：${pictures} 枚の画像、描くのに約 ${seconds(ms)}。`,
  turn: (number, all, left) => `約 ${all} 枚中 ${number} 枚目${left === null ? '' : `、残り約 ${seconds(left)}`}。`,
  made: (pictures, size) => `${pictures} 枚の画像、${bytes(size)}。`,
};

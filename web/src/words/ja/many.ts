import { numbersIn } from '../numbers';
import type { Words } from '../words';

const { seconds } = numbersIn('ja', { seconds: ' 秒', minutes: ' 分' });

export const many: Words['many'] = {
  title: (photos) => `${photos} 枚の写真`,
  back: (photos) => `${photos} 枚の写真に戻る`,
  draw: (left, all) => {
    if (left === all) return `${all} 枚すべてを描く`;
    return left === 1 ? '最後の 1 枚を描く' : `残りの ${left} 枚を描く`;
  },
  count: (drawn, failed, all) =>
    `${all} 枚中 ${drawn} 枚を描きました${failed > 0 ? `（${failed} 枚は描けませんでした）` : ''}。`,
  turn: (number, all, left) => `${all} 枚中 ${number} 枚目${left === null ? '' : `、残り約 ${seconds(left)}`}。`,
  begun: (photos) => `${photos} 枚の写真を描いています。`,
  stopped: (drawn, all) => `中止しました。${all} 枚中 ${drawn} 枚を描きました。`,
  open: (name) => `${name} を開く`,
  notDrawn: '描けませんでした',
  noFaces: '顔を探せなかったため、これらの写真は中央を描きました。',
  isVideo: (name) => `${name} は動画です。描くには、これだけを開いてください。`,
  isNoImage: (name) => `${name} は画像として読めません。`,
  failed: (name, reason) => `${name}：${reason}`,
};

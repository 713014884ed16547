import { numbersIn } from '../numbers';
import type { Words } from '../words';

const { bytes, seconds } = numbersIn('zh-Hans', { seconds: ' 秒', minutes: ' 分钟' });

export const video: Words['video'] = {
  cancelled: '已取消。视频仍然在这里。',
  done: '视频已绘制完成。',
  silent: '此浏览器无法写入声音，因此视频没有声音。',
  facts: (length, width, height, pictures, ms) =>
    `${seconds(length)}，${width} × ${height} 像素：${pictures} 幅画面，绘制约需 ${seconds(ms)}。`,
  turn: (number, all, left) => `第 ${number} 幅，共约 ${all} 幅${left === null ? '' : `，还需约 ${seconds(left)}`}。`,
  made: (pictures, size) => `${pictures} 幅画面，${bytes(size)}。`,
};

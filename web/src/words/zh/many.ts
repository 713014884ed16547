import { numbersIn } from '../numbers';
import type { Words } from '../words';

const { seconds } = numbersIn('zh-Hans', { seconds: ' 秒', minutes: ' 分钟' });

export const many: Words['many'] = {
  title: (photos) => `${photos} 张照片`,
  back: (photos) => `返回 ${photos} 张照片`,
  draw: (left, all) => {
    if (left === all) return `绘制全部 ${all} 张`;
    return left === 1 ? '绘制最后一张' : `绘制其余 ${left} 张`;
  },
  count: (drawn, failed, all) =>
    `已绘制 ${drawn} 张，共 ${all} 张${failed > 0 ? `，${failed} 张无法绘制` : ''}。`,
  turn: (number, all, left) => `第 ${number} 张，共 ${all} 张${left === null ? '' : `，还需约 ${seconds(left)}`}。`,
  begun: (photos) => `正在绘制 ${photos} 张照片。`,
  stopped: (drawn, all) => `已取消。已绘制 ${drawn} 张，共 ${all} 张。`,
  open: (name) => `打开 ${name}`,
  notDrawn: '未绘制',
  noFaces: '无法查找人脸，因此绘制的是这些照片的中间部分。',
  isVideo: (name) => `${name} 是视频。请单独打开它来绘制。`,
  isNoImage: (name) => `${name} 无法作为图片读取。`,
  failed: (name, reason) => `${name}：${reason}`,
};

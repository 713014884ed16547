import { numbersIn } from '../numbers';
import type { Words } from '../words';

const { bytes, seconds, fixed } = numbersIn('zh-Hans', { seconds: ' 秒', minutes: ' 分钟' });

const place = (onProcessor: boolean) => (onProcessor ? '处理器' : '图形芯片');
const offer = (made: readonly string[]) => made.join('和');

export const talk: Words['talk'] = {
  title: (made) => `在浏览器里制作${offer(made)} · Atelier`,
  tagline: (made) => `用您的照片制作${offer(made)}，全部在本设备上完成。照片不会离开这里。`,
  products: { portrait: '铅笔肖像', drawing: '铅笔肖像', saliency: '抠图' },
  cutOut: '抠图',
  samples: { Astronaut: '宇航员', Cat: '猫', Coffee: '咖啡' },
  samplePhoto: (name) => `示例照片：${name}`,
  sampleCredits: (credits) => `示例照片：${credits.join('；')}`,
  sentences: (sentences) => sentences.join(''),
  sentence: (text) => `${text.replace(/[.。]$/, '')}。`,

  ready: '已就绪。',
  done: '完成。',
  checked: '已检查。',
  copied: '已复制。',
  cancelled: '已取消。照片仍然在这里。',
  fetching: (name) => `正在加载 ${name}。`,
  photoOpened: '照片已打开。',
  photoScaled: (from, to) => `${from} 像素的照片太大，将按 ${to} 处理。`,
  facesFailed: (reason) => `无法查找人脸：${reason}`,
  stages: {
    engine: '正在加载计算引擎。',
    download: '正在加载模型。',
    load: '正在准备模型。',
    warmup: '正在为图形芯片编译。',
    check: '正在检查本设备。',
    run: '正在绘制。',
    finish: '正在收尾。',
  },
  received: (loaded, total) => `${bytes(loaded)} / ${bytes(total)}`,
  elapsed: (ms, expected) => `${fixed(ms / 1000, 1)} 秒，共约 ${seconds(expected)}`,
  frame: (size) => `${size} 像素`,
  frameAt: (size, x, y) => `${size} 像素，位置 ${x}, ${y}`,
  nextFace: (face, faces) => `下一张脸（${face} / ${faces}）`,
  zoomLevel: (zoom) => `${fixed(zoom, 1)} ×`,
  drawFace: (face, faces) => `绘制第 ${face} 张脸，共 ${faces} 张`,

  cameraOn: '相机已打开。',
  drawingLive: '正在实时绘制。',
  rate: (rate, size) => `每秒 ${fixed(rate, 1)} 帧，${size}。`,
  liveDoesNotFit: '本设备的显存不够实时绘制。请选择较低的分辨率，或拍一张照片。',
  liveTooSlow: (limit, took) =>
    `实时绘制要求每帧不超过 ${seconds(limit)}，而这里需要 ${seconds(took)}。请选择较低的分辨率，或拍一张照片。`,

  drawn: (ms, onProcessor) => `用${place(onProcessor)}在 ${seconds(ms)}内画成。`,
  lastDrawing: (what, ms, backend) => `上次绘制：${what}，${seconds(ms)}，${backend}`,
  fetched: (count) => `，下载了模型的 ${count} 字节`,
  threads: (count) => `${count} 个线程`,

  processor: '处理器',
  graphicsChip: '图形芯片',
  fast: (onProcessor) => `很快，使用${place(onProcessor)}。`,
  medium: (onProcessor, ms) => `每张几秒，使用${place(onProcessor)}：约 ${seconds(ms)}。`,
  slow: (onProcessor, ms) => `较慢，使用${place(onProcessor)}：约 ${seconds(ms)}。`,
  about: (ms) => `约 ${seconds(ms)}`,
  bytes,
  fixed,
  notHere: '此处不可用',
  experimental: '实验性',
  experimentalNote: (size) =>
    `实验性：该模型是为 ${size} 制作的。更大时可能漏掉照片的某些部分，或画出并不存在的东西，而且更慢。`,
  mayNotFit: '显存可能不够。',
  timeMeasured: '上次绘制所用的时间。',
  timeEstimated: '时间为估计值，绘制一次后即为实测值。',
  fidelity: {
    'same to the eye': '看起来相同',
    'slightly different': '略有不同',
    'visibly different': '明显不同',
  },
  weights: (model, millions, seen, decibels) =>
    `${model}：${fixed(millions, 1)} 百万个权重。${seen}，与 PyTorch 相差 ${decibels} dB。`,
  imitated: (device) => `${device}：由软件模拟的图形芯片，比处理器慢。`,
  oneThreadHeaders: '处理器，单线程：服务器没有发送多线程所需的标头（COOP 和 COEP）。',
  oneThread: '处理器，单线程：此浏览器或设备不支持更多线程。',
  wentOn: (from, reason, to) =>
    `${from}失败：${reason.replace(/[.。]$/, '')}。已改用${to}继续。没有丢失任何内容。`,
  download: (all) => `需要先下载 ${bytes(all)}，之后会保存在本设备上。`,
  downloads: (model, engine) =>
    `需要先下载 ${bytes(model + engine)}：模型 ${bytes(model)}，计算引擎 ${bytes(engine)}。之后会保存在本设备上。`,
  processorUnchecked: '处理器在任何设备上的计算都相同，因此没有检查。',
  chipUnchecked: '尚未检查此图形芯片。',
  wrong: (distance) =>
    `本设备的计算结果有误：${distance === null ? '得到的不是数字' : `与 PyTorch 相差 ${distance}`}。`,
  verified: (distance, ms) => `已在本设备上验证：与 PyTorch 最多相差 ${distance}（绘制三次，${seconds(ms)}）。`,
  licence: (model, licence) => `${model}：${licence}`,
};

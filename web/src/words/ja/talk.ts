import { numbersIn } from '../numbers';
import type { Words } from '../words';

const { bytes, seconds, fixed } = numbersIn('ja', { seconds: ' 秒', minutes: ' 分' });

const place = (onProcessor: boolean) => (onProcessor ? 'プロセッサ' : 'グラフィックチップ');
const offer = (made: readonly string[]) => made.join('と');

export const talk: Words['talk'] = {
  title: (made) => `ブラウザで作る${offer(made)} · Atelier`,
  tagline: (made) => `写真から${offer(made)}を、この端末の中で作ります。写真が外に送られることはありません。`,
  products: { portrait: '鉛筆の肖像画', drawing: '鉛筆の肖像画', saliency: '切り抜き' },
  cutOut: '切り抜く',
  samples: { Astronaut: '宇宙飛行士', Cat: '猫', Coffee: 'コーヒー' },
  samplePhoto: (name) => `サンプル写真：${name}`,
  sampleCredits: (credits) => `サンプル写真：${credits.join('、')}`,
  sentences: (sentences) => sentences.join(''),
  sentence: (text) => `${text.replace(/[.。]$/, '')}。`,

  ready: '準備ができました。',
  done: '完了しました。',
  checked: '検査しました。',
  copied: 'コピーしました。',
  cancelled: '中止しました。写真はそのまま残っています。',
  fetching: (name) => `${name} を読み込んでいます。`,
  photoOpened: '写真を開きました。',
  photoScaled: (from, to) => `${from} ピクセルの写真は大きすぎるため、${to} で処理します。`,
  facesFailed: (reason) => `顔を探せませんでした：${reason}`,
  stages: {
    engine: '計算エンジンを読み込んでいます。',
    download: 'モデルを読み込んでいます。',
    load: 'モデルを準備しています。',
    warmup: 'グラフィックチップ用に変換しています。',
    check: 'この端末を検査しています。',
    run: '描いています。',
    finish: '仕上げています。',
  },
  received: (loaded, total) => `${bytes(loaded)} / ${bytes(total)}`,
  elapsed: (ms, expected) => `${fixed(ms / 1000, 1)} 秒 / 約 ${seconds(expected)}`,
  frame: (size) => `${size} ピクセル`,
  frameAt: (size, x, y) => `${size} ピクセル（位置 ${x}, ${y}）`,
  nextFace: (face, faces) => `次の顔（${face} / ${faces}）`,
  zoomLevel: (zoom) => `${fixed(zoom, 1)} ×`,
  drawFace: (face, faces) => `${faces} 人中 ${face} 人目の顔を描く`,

  cameraOn: 'カメラがオンになりました。',
  drawingLive: 'ライブで描いています。',
  rate: (rate, size) => `毎秒 ${fixed(rate, 1)} フレーム、${size}。`,
  liveDoesNotFit:
    'この端末のグラフィックメモリでは、ライブで描けません。解像度を下げるか、写真を撮ってください。',
  liveTooSlow: (limit, took) =>
    `ライブで描くには 1 フレームを ${seconds(limit)}以内に描く必要がありますが、ここでは ${seconds(took)}かかります。解像度を下げるか、写真を撮ってください。`,

  drawn: (ms, onProcessor) => `${place(onProcessor)}で ${seconds(ms)}で描きました。`,
  lastDrawing: (what, ms, backend) => `最後の描画：${what}、${seconds(ms)}、${backend}`,
  fetched: (count) => `、モデルの受信 ${count} バイト`,
  threads: (count) => `${count} スレッド`,

  processor: 'プロセッサ',
  graphicsChip: 'グラフィックチップ',
  fast: (onProcessor) => `速い（${place(onProcessor)}）。`,
  medium: (onProcessor, ms) => `1 枚に数秒（${place(onProcessor)}）：約 ${seconds(ms)}。`,
  slow: (onProcessor, ms) => `遅い（${place(onProcessor)}）：約 ${seconds(ms)}。`,
  about: (ms) => `約 ${seconds(ms)}`,
  bytes,
  fixed,
  notHere: 'ここでは使えません',
  experimental: '実験的',
  experimentalNote: (size) =>
    `実験的：このモデルは ${size} 用に作られています。それより大きいと、写真の一部を見落としたり、ないものを描いたりすることがあり、時間もかかります。`,
  mayNotFit: 'グラフィックメモリに収まらないかもしれません。',
  timeMeasured: '前回の描画にかかった時間です。',
  timeEstimated: '時間は見積もりです。一度描くと実測になります。',
  fidelity: {
    'same to the eye': '見た目は同じ',
    'slightly different': 'わずかに違う',
    'visibly different': '見た目に違う',
  },
  weights: (model, millions, seen, decibels) =>
    `${model}：重みは ${fixed(millions, 1)} 百万個。${seen}、PyTorch との差 ${decibels} dB。`,
  imitated: (device) => `${device}：ソフトウェアで再現したグラフィックチップで、プロセッサより遅くなります。`,
  oneThreadHeaders:
    'プロセッサ、1 スレッド：スレッドに必要なヘッダー（COOP と COEP）をサーバーが送っていません。',
  oneThread: 'プロセッサ、1 スレッド：このブラウザまたは端末では、それ以上使えません。',
  wentOn: (from, reason, to) =>
    `${from}は失敗しました：${reason.replace(/[.。]$/, '')}。${to}で続けました。失われたものはありません。`,
  download: (all) => `最初に ${bytes(all)} をダウンロードします。その後は保存されます。`,
  downloads: (model, engine) =>
    `最初に ${bytes(model + engine)} をダウンロードします（モデル ${bytes(model)}、計算エンジン ${bytes(engine)}）。その後は保存されます。`,
  processorUnchecked: 'プロセッサの計算はどこでも同じなので、検査していません。',
  chipUnchecked: 'このグラフィックチップはまだ検査していません。',
  wrong: (distance) =>
    `この端末の計算結果は間違っています：${distance === null ? '数値になりません' : `PyTorch との差は ${distance}`}。`,
  verified: (distance, ms) =>
    `この端末で検査済み：PyTorch との差は最大 ${distance}（3 回の描画、${seconds(ms)}）。`,
  licence: (model, licence) => `${model}：${licence}`,
};

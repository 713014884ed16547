import { numbersIn } from '../numbers';
import type { Words } from '../words';

const { bytes } = numbersIn('ja', { seconds: ' 秒', minutes: ' 分' });

export const messages: Words['messages'] = {
  verbatim: (text) => text,
  outOfMemory: (reason) =>
    `メモリが足りず、描けませんでした（${reason}）。解像度を下げるか、切り取る範囲を小さくして、もう一度描いてください。`,
  drawingFailed: (reason) =>
    `描けませんでした：${reason}。もう一度試してください。また失敗するときは、「詳細設定」で計算に使うものを変えてください。`,
  cancelled: () => '中止しました。',
  workerStopped: (reason) =>
    `裏で動く計算が止まりました（${reason}）。ページを読み込み直して、もう一度試してください。`,
  workerMissing: () =>
    '裏で計算するプログラムを読み込めませんでした。ページを読み込み直して、もう一度試してください。',
  protocolDiffers: () => 'ページとプログラムの版が違います。ページを読み込み直してください。',
  photoUnreadable: (name) =>
    `${name} は画像として読めません。JPEG、PNG、WebP、AVIF のファイルを選んでください。`,
  fileUnreadable: () =>
    'このファイルは画像として読めません。JPEG、PNG、WebP、AVIF のファイルを選んでください。',
  photoTooLarge: (name, width, height) =>
    `${name} は ${width} × ${height} ピクセルあり、大きすぎて開けません。幅と高さを 14,000 ピクセル以下にして保存し、それを開いてください。`,
  serverAnswered: (status) => `サーバーの応答は ${status} でした`,
  serverSentNothing: () => 'サーバーが何も送りませんでした',
  aFile: () => 'ファイル',
  partOf: (part, parts) => `${parts} 個中 ${part} 個目`,
  downloadStopped: (part, reason) =>
    `ダウンロードが${part}で止まりました（${reason}）。接続を確認して、もう一度描いてください。届いた分は保存されています。`,
  damaged: (part) =>
    `モデルまたは計算エンジンの${part}が壊れて届いたため、受け取りませんでした（SHA-256 がカタログと違います）。もう一度描くと、取得し直します。それでも受け取れないときは、サーバー上のファイルが壊れています。管理者がサイトをアップロードし直す必要があります。`,
  catalogueMissing: (address, reason) =>
    `モデルの一覧 ${address} を読み込めませんでした（${reason}）。接続を確認して、ページを読み込み直してください。直らないときは、管理者がサイトをアップロードし直す必要があります。`,
  catalogueInvalid: (path, expected) =>
    `このサイトの catalogue.json が正しくありません：${path} は ${expected} であるべきです。管理者がサイトを作り直す必要があります。`,
  modelInvalid: (file, reason) =>
    `${file} は使えません：${reason}。別の解像度か別の重みを選んでください。サイトの管理者がこのモデルを変換し直す必要があります。`,
  noDrawing: () => 'このモデルでは絵になりません。別の解像度か別の重みを選んでください。',
  backendNotStarted: (backend, reason) =>
    `${backend} を起動できませんでした（${reason}）。計算に使うものを変えてください。`,
  litertFailed: (reason) =>
    `LiteRT ではこれを計算できません（${reason}）。解像度を下げるか、TensorFlow.js を選んでください。`,
  litertInPart: () => 'LiteRT はこのグラフィックチップでモデル全体を計算できません',
  noNumbers: () => 'グラフィックチップが使える数値を返しませんでした',
  webglLost: () => 'WebGL のコンテキストが失われました',
  webglError: (error) => `WebGL がエラー ${error} を報告しました`,
  wrongResults: (backend, distance) =>
    `この端末のグラフィックチップは ${backend} で間違った結果を出します（正しい結果との差 ${distance}）。「詳細設定」で別のものを選んでください。`,
  wrongValues: (backend) =>
    `この端末のグラフィックチップは ${backend} で間違った結果を出します（数値ではない値）。「詳細設定」で別のものを選んでください。`,
  noWebgpu: () => 'このブラウザには WebGPU がありません',
  noWebgl: () => 'このブラウザでは、裏での計算に WebGL 2 を使えません',
  noFloats: () => 'このグラフィックチップは 32 ビット浮動小数点で計算できません',
  noWasm: () => 'このブラウザは WebAssembly を実行できません',
  notHeld: (model, engine) => `このサイトには ${engine} 用の ${model} がありません`,
  pieceTooLarge: (backend, limit, side) =>
    `${backend} が一度に扱えるのは最大 ${bytes(limit)} で、${side} × ${side} には足りません`,
  memoryTooSmall: (model, side, needed, budget) =>
    `${model} は ${side} × ${side} で約 ${bytes(needed)} のグラフィックメモリを必要としますが、ここで見込めるのは約 ${bytes(budget)} です`,
  litertTooSmall: (model, side, needed, room) =>
    `LiteRT では ${model} は ${side} × ${side} で約 ${bytes(needed)} のメモリを必要としますが、LiteRT が使えるのは ${bytes(room)} までです`,
  facesStopped: (reason) => `顔の検索が止まりました（${reason}）。`,
  facesEnded: () => '顔の検索を終えました。',
  codeMissing: () => 'プログラムを読み込めませんでした',
};

import type { Words } from '../words';

export const failures: Words['failures'] = {
  insecure:
    'このページに必要な機能は、https:// か localhost でしか使えません。そのようなアドレスで開いてください。',
  forbidden: (directive, source) =>
    `このページのサーバーが必要な機能を禁止しています：Content-Security-Policy の ${directive} に ${source} がありません。サイトの管理者が追加する必要があります。`,
  cameraDenied: 'カメラの使用が許可されていません。ブラウザの設定でこのサイトに許可するか、写真を選んでください。',
  noCamera: 'カメラが見つかりません。カメラをつなぐか、写真を選んでください。',
  cameraInUse:
    'カメラは別のところで使われています。そのプログラムを閉じてからもう一度試すか、写真を選んでください。',
  cameraFailed: 'カメラを起動できませんでした。代わりに写真を選んでください。',
  otherHost: (name, host) =>
    `${host} に接続できないか、ほかのページが ${name} を読むことを許可していません。そこで画像を保存するか、画像そのものをコピーして、ここで開いてください。`,
  addressFailed: (name, reason) =>
    `${name} を読み込めませんでした（${reason}）。アドレスを確認するか、ファイルを選んでください。`,
  addressDamaged: '貼り付けた data: アドレスが壊れています。もう一度コピーしてください。',
  sampleFailed: (name) =>
    `サンプル「${name}」を読み込めませんでした。接続を確認するか、ご自分の写真を選んでください。`,
  copyRefused: 'このブラウザでは絵をコピーできませんでした。代わりにダウンロードしてください。',
  notHandedOver: (reason) => `画像を渡せませんでした：${reason}`,
  sharesNoPictures: 'このブラウザは画像を共有できません。代わりに保存してください。',
  wouldNotFit: (reason) => `${reason}。代わりにプロセッサで描くか、解像度を下げてください。`,
  drawOnProcessor: 'プロセッサで描く',
  tryAnyway: 'それでも試す',
  partMissing: 'このページの一部を読み込めませんでした。接続を確認して、ファイルをもう一度開いてください。',
  notEncoded: '描いた絵をファイルに書き出せませんでした。',
  emptyFolder: 'このフォルダーにはファイルがありません。写真の入ったフォルダーをドロップしてください。',
  folderUnreadable: (name) => `フォルダー「${name}」を読めません。代わりに中の写真をドロップしてください。`,
  chooseSmaller: (reason) => `${reason}。「詳細設定」でプロセッサか、より低い解像度を選んでください。`,
  videosUnsupported:
    'このブラウザは動画を書き出せないため（WebCodecs がありません）、動画を描けません。パソコンの Chrome、Edge、Safari、Firefox なら描けます。',
  noVideoEncoder:
    'このブラウザは、この大きさの動画を書き出せません。より小さい動画か、別のブラウザで試してください。',
  videoUnreadable: (name) => `${name} は動画として読めません。MP4、MOV、WebM、MKV のファイルを選んでください。`,
  videoUndecodable: (name, codec) =>
    `このブラウザは ${name}${codec === null ? '' : `（${codec}）`} をデコードできません。H.264 か VP9 で保存し、それを開いてください。`,
};

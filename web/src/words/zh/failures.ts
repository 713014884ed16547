import type { Words } from '../words';

export const failures: Words['failures'] = {
  insecure: '浏览器只在 https:// 或 localhost 下允许本页面所需的功能。请用这样的地址打开。',
  forbidden: (directive, source) =>
    `本页面的服务器禁止了所需的功能：其 Content-Security-Policy 的 ${directive} 缺少 ${source}。需要网站管理员补上。`,
  cameraDenied: '没有使用相机的权限。请在浏览器设置中为本网站允许相机，或选择照片。',
  noCamera: '没有找到相机。请连接相机，或选择照片。',
  cameraInUse: '相机正被其他程序使用。请关闭那个程序后重试，或选择照片。',
  cameraFailed: '无法启动相机。请改为选择照片。',
  otherHost: (name, host) =>
    `无法连接 ${host}，或者它不允许其他页面读取 ${name}。请在那里保存图片，或复制图片本身，再在这里打开。`,
  addressFailed: (name, reason) => `无法加载 ${name}（${reason}）。请检查地址，或选择文件。`,
  addressDamaged: '粘贴的 data: 地址已损坏。请重新复制。',
  sampleFailed: (name) => `无法加载示例“${name}”。请检查网络连接，或选择您自己的照片。`,
  copyRefused: '此浏览器不允许复制画作。请改为下载。',
  notHandedOver: (reason) => `无法交出图片：${reason}`,
  sharesNoPictures: '此浏览器不能分享图片。请改为保存。',
  wouldNotFit: (reason) => `${reason}。可以改用处理器绘制，或降低分辨率。`,
  drawOnProcessor: '用处理器绘制',
  tryAnyway: '仍然尝试',
  partMissing: '本页面的一部分无法加载。请检查网络连接，再重新打开文件。',
  notEncoded: '无法把画作写成文件。',
  emptyFolder: '此文件夹里没有文件。请拖入有照片的文件夹。',
  folderUnreadable: (name) => `无法读取文件夹“${name}”。请改为拖入其中的照片。`,
  chooseSmaller: (reason) => `${reason}。请在“高级”中选择处理器，或选择较低的分辨率。`,
  videosUnsupported:
    '此浏览器不能写入视频（没有 WebCodecs），因此无法绘制视频。电脑上的 Chrome、Edge、Safari 和 Firefox 可以。',
  noVideoEncoder: '此浏览器不能写入这种尺寸的视频。请换一个较小的视频，或换一个浏览器。',
  videoUnreadable: (name) => `${name} 无法作为视频读取。请选择 MP4、MOV、WebM 或 MKV 文件。`,
  videoUndecodable: (name, codec) =>
    `此浏览器无法解码 ${name}${codec === null ? '' : `（${codec}）`}。请保存为 H.264 或 VP9，再打开它。`,
};

import { numbersIn } from '../numbers';
import type { Words } from '../words';

const { bytes } = numbersIn('zh-Hans', { seconds: ' 秒', minutes: ' 分钟' });

export const messages: Words['messages'] = {
  verbatim: (text) => text,
  outOfMemory: (reason) => `内存不足，无法绘制（${reason}）。请降低分辨率或缩小裁剪范围，再绘制一次。`,
  drawingFailed: (reason) => `绘制失败：${reason}。请重试；如果再次失败，请在“高级”中换一种计算方式。`,
  cancelled: () => '已取消。',
  workerStopped: (reason) => `后台计算已停止（${reason}）。请重新加载页面后再试。`,
  workerMissing: () => '无法加载后台计算程序。请重新加载页面后再试。',
  protocolDiffers: () => '页面与程序的版本不一致。请重新加载页面。',
  photoUnreadable: (name) => `${name} 无法作为图片读取。请选择 JPEG、PNG、WebP 或 AVIF 文件。`,
  fileUnreadable: () => '此文件无法作为图片读取。请选择 JPEG、PNG、WebP 或 AVIF 文件。',
  photoTooLarge: (name, width, height) =>
    `${name} 有 ${width} × ${height} 像素，太大，无法在这里打开。请保存为宽高都不超过 14,000 像素的图片，再打开它。`,
  serverAnswered: (status) => `服务器返回 ${status}`,
  serverSentNothing: () => '服务器没有发送任何内容',
  aFile: () => '某个文件',
  partOf: (part, parts) => `第 ${part} 部分（共 ${parts} 部分）`,
  downloadStopped: (part, reason) =>
    `下载在${part}处中断（${reason}）。请检查网络连接后再绘制一次：已收到的内容会保留。`,
  damaged: (part) =>
    `模型或计算引擎的${part}到达时已损坏，未被接受（其 SHA-256 与目录不符）。再绘制一次会重新下载。如果仍不被接受，说明服务器上的副本已损坏，需要网站管理员重新上传。`,
  catalogueMissing: (address, reason) =>
    `无法加载模型列表 ${address}（${reason}）。请检查网络连接并重新加载页面。如果问题依旧，需要网站管理员重新上传。`,
  catalogueInvalid: (path, expected) =>
    `本网站的 catalogue.json 无效：${path} 应为 ${expected}。需要管理员重新构建网站。`,
  modelInvalid: (file, reason) =>
    `${file} 无法使用：${reason}。请选择其他分辨率或其他权重。需要网站管理员重新转换此模型。`,
  noDrawing: () => '此模型得不到可用的画作。请选择其他分辨率或其他权重。',
  backendNotStarted: (backend, reason) => `无法在这里启动 ${backend}（${reason}）。请换一种计算方式。`,
  litertFailed: (reason) => `LiteRT 无法在这里计算（${reason}）。请降低分辨率，或选择 TensorFlow.js。`,
  litertInPart: () => 'LiteRT 无法在此图形芯片上运行整个模型',
  noNumbers: () => '图形芯片没有返回可用的数值',
  webglLost: () => 'WebGL 上下文已丢失',
  webglError: (error) => `WebGL 报告了错误 ${error}`,
  wrongResults: (backend, distance) =>
    `本设备的图形芯片用 ${backend} 计算出错误的结果（与正确结果相差 ${distance}）。请在“高级”中选择其他方式。`,
  wrongValues: (backend) =>
    `本设备的图形芯片用 ${backend} 计算出错误的结果（得到的不是数字）。请在“高级”中选择其他方式。`,
  noWebgpu: () => '此浏览器不支持 WebGPU',
  noWebgl: () => '此浏览器不支持在后台使用 WebGL 2',
  noFloats: () => '此图形芯片不能进行 32 位浮点计算',
  noWasm: () => '此浏览器不能运行 WebAssembly',
  notHeld: (model, engine) => `本网站没有用于 ${engine} 的 ${model}`,
  pieceTooLarge: (backend, limit, side) =>
    `${backend} 在这里一次最多处理 ${bytes(limit)}，不足以绘制 ${side} × ${side}`,
  memoryTooSmall: (model, side, needed, budget) =>
    `${model} 在 ${side} × ${side} 下约需 ${bytes(needed)} 显存，而这里大约只有 ${bytes(budget)} 可用`,
  litertTooSmall: (model, side, needed, room) =>
    `使用 LiteRT 时，${model} 在 ${side} × ${side} 下约需 ${bytes(needed)} 内存，而 LiteRT 最多只有 ${bytes(room)}`,
  facesStopped: (reason) => `人脸查找已停止（${reason}）。`,
  facesEnded: () => '人脸查找已结束。',
  codeMissing: () => '无法加载其程序',
};

import { numbersIn } from '../numbers';
import type { Words } from '../words';

const { bytes, seconds, fixed } = numbersIn('de', { seconds: ' s', minutes: ' min' });

/** The two places where a network computes, behind "auf". */
const on = (onProcessor: boolean) => (onProcessor ? 'Ihrem Prozessor' : 'Ihrem Grafikchip');
const offer = (made: readonly string[]) => made.join(' und ');

export const talk: Words['talk'] = {
  title: (made) => `${offer(made)} in Ihrem Browser · Atelier`,
  tagline: (made) => `${offer(made)} aus Ihren Fotos, auf diesem Gerät gemacht. Kein Foto verlässt es.`,
  products: { portrait: 'Bleistiftporträts', drawing: 'Bleistiftporträts', saliency: 'Freisteller' },
  cutOut: 'Freistellen',
  samples: { Astronaut: 'Astronautin', Cat: 'Katze', Coffee: 'Kaffee' },
  samplePhoto: (name) => `Beispielfoto: ${name}`,
  sampleCredits: (credits) => `Beispielfotos: ${credits.join('; ')}.`,
  sentences: (sentences) => sentences.join(' '),
  sentence: (text) => `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, '')}.`,

  ready: 'Bereit.',
  done: 'Fertig.',
  checked: 'Geprüft.',
  copied: 'Kopiert.',
  cancelled: 'Abgebrochen. Das Foto ist noch da.',
  fetching: (name) => `${name} wird geladen.`,
  photoOpened: 'Foto geöffnet.',
  photoScaled: (from, to) => `Ein Foto mit ${from} Pixeln ist zu groß zum Zeichnen: Es wird mit ${to} bearbeitet.`,
  facesFailed: (reason) => `Gesichter konnten nicht gesucht werden: ${reason}`,
  stages: {
    engine: 'Das Rechenwerk wird geladen.',
    download: 'Das Modell wird geladen.',
    load: 'Das Modell wird eingerichtet.',
    warmup: 'Für Ihren Grafikchip wird übersetzt.',
    check: 'Dieses Gerät wird geprüft.',
    run: 'Es wird gezeichnet.',
    finish: 'Letzte Schritte.',
  },
  received: (loaded, total) => `${bytes(loaded)} von ${bytes(total)}`,
  elapsed: (ms, expected) => `${fixed(ms / 1000, 1)} s von etwa ${seconds(expected)}`,
  frame: (size) => `${size} Pixel`,
  frameAt: (size, x, y) => `${size} Pixel ab ${x}, ${y}`,
  nextFace: (face, faces) => `Nächstes Gesicht (${face} von ${faces})`,
  zoomLevel: (zoom) => `${fixed(zoom, 1)} ×`,
  drawFace: (face, faces) => `Gesicht ${face} von ${faces} zeichnen`,

  cameraOn: 'Die Kamera ist an.',
  drawingLive: 'Es wird live gezeichnet.',
  rate: (rate, size) => `${fixed(rate, 1)} Bilder pro Sekunde bei ${size}.`,
  liveDoesNotFit:
    'Für das Zeichnen live reicht der Grafikspeicher hier nicht. Wählen Sie eine kleinere Auflösung oder nehmen Sie das Foto auf.',
  liveTooSlow: (limit, took) =>
    `Live dürfte ein Bild höchstens ${seconds(limit)} dauern, hier dauert es ${seconds(took)}. Wählen Sie eine kleinere Auflösung oder nehmen Sie das Foto auf.`,

  drawn: (ms, onProcessor) => `In ${seconds(ms)} auf ${on(onProcessor)} gezeichnet.`,
  lastDrawing: (what, ms, backend) => `Letzte Zeichnung: ${what}, ${seconds(ms)} mit ${backend}`,
  fetched: (count) => `, ${count} Bytes des Modells geladen`,
  threads: (count) => `${count} Threads`,

  processor: 'Ihr Prozessor',
  graphicsChip: 'Ihr Grafikchip',
  fast: (onProcessor) => `Schnell, auf ${on(onProcessor)}.`,
  medium: (onProcessor, ms) => `Einige Sekunden pro Bild, auf ${on(onProcessor)}: etwa ${seconds(ms)}.`,
  slow: (onProcessor, ms) => `Langsam, auf ${on(onProcessor)}: etwa ${seconds(ms)}.`,
  about: (ms) => `etwa ${seconds(ms)}`,
  bytes,
  fixed,
  notHere: 'hier nicht',
  experimental: 'experimentell',
  experimentalNote: (size) =>
    `Experimentell: Das Modell wurde für ${size} gemacht. Größer übersieht es vielleicht Teile des Fotos oder zeichnet, was nicht da ist, und es braucht länger.`,
  mayNotFit: 'Passt vielleicht nicht in den Grafikspeicher.',
  timeMeasured: 'Zeit Ihrer letzten Zeichnung.',
  timeEstimated: 'Geschätzte Zeit, bis zur ersten Zeichnung.',
  fidelity: {
    'same to the eye': 'Für das Auge gleich',
    'slightly different': 'Etwas anders',
    'visibly different': 'Sichtbar anders',
  },
  weights: (model, millions, seen, decibels) =>
    `${model}: ${fixed(millions, 1)} Millionen Gewichte. ${seen}, ${decibels} dB von PyTorch entfernt.`,
  imitated: (device) => `${device}: ein Grafikchip, den Software nachahmt, langsamer als der Prozessor.`,
  oneThreadHeaders:
    'Ihr Prozessor, mit einem Thread: Der Server sendet die Kopfzeilen (COOP und COEP) nicht, die mehrere brauchen.',
  oneThread: 'Ihr Prozessor, mit einem Thread: Dieser Browser oder dieses Gerät bietet nicht mehr.',
  wentOn: (from, reason, to) =>
    `${from} hat versagt: ${reason.replace(/\.$/, '')}. Weiter ging es mit: ${to}. Nichts ging verloren.`,
  download: (all) => `Zuerst sind ${bytes(all)} herunterzuladen. Sie bleiben dann gespeichert.`,
  downloads: (model, engine) =>
    `Zuerst sind ${bytes(model + engine)} herunterzuladen: ${bytes(model)} für das Modell, ${bytes(engine)} für das Rechenwerk. Sie bleiben dann gespeichert.`,
  processorUnchecked: 'Prozessoren rechnen überall gleich, darum wurde Ihrer nicht geprüft.',
  chipUnchecked: 'Dieser Grafikchip wurde noch nicht geprüft.',
  wrong: (distance) =>
    `Dieses Gerät rechnet falsch: ${distance === null ? 'keine Zahlen' : `${distance} von PyTorch entfernt`}.`,
  verified: (distance, ms) =>
    `Auf diesem Gerät geprüft: höchstens ${distance} von PyTorch entfernt (drei Zeichnungen, ${seconds(ms)}).`,
  licence: (model, licence) => `${model}: ${licence}.`,
};

import { numbersIn } from '../numbers';
import type { Words } from '../words';

const { bytes } = numbersIn('de', { seconds: ' s', minutes: ' min' });

export const messages: Words['messages'] = {
  verbatim: (text) => text,
  outOfMemory: (reason) =>
    `Für diese Zeichnung reichte der Speicher nicht (${reason}). Wählen Sie eine kleinere Auflösung oder einen kleineren Ausschnitt und zeichnen Sie noch einmal.`,
  drawingFailed: (reason) =>
    `Das Zeichnen ist misslungen: ${reason}. Versuchen Sie es noch einmal. Misslingt es wieder, wählen Sie unter „Erweitert“, was sonst rechnen soll.`,
  cancelled: () => 'Abgebrochen.',
  workerStopped: (reason) =>
    `Das Rechnen im Hintergrund ist abgebrochen (${reason}). Laden Sie die Seite neu und versuchen Sie es noch einmal.`,
  workerMissing: () =>
    'Das Programm, das im Hintergrund rechnet, konnte nicht geladen werden. Laden Sie die Seite neu und versuchen Sie es noch einmal.',
  protocolDiffers: () => 'Seite und Programm stammen aus verschiedenen Versionen. Laden Sie die Seite neu.',
  photoUnreadable: (name) =>
    `${name} lässt sich hier nicht als Bild lesen. Wählen Sie eine JPEG-, PNG-, WebP- oder AVIF-Datei.`,
  fileUnreadable: () =>
    'Diese Datei lässt sich hier nicht als Bild lesen. Wählen Sie eine JPEG-, PNG-, WebP- oder AVIF-Datei.',
  photoTooLarge: (name, width, height) =>
    `${name} hat ${width} × ${height} Pixel, zu viele, um es hier zu öffnen. Speichern Sie es mit höchstens 14.000 Pixeln Breite und Höhe und öffnen Sie das.`,
  serverAnswered: (status) => `der Server antwortete ${status}`,
  serverSentNothing: () => 'der Server sendete nichts',
  aFile: () => 'einer Datei',
  partOf: (part, parts) => `Teil ${part} von ${parts}`,
  downloadStopped: (part, reason) =>
    `Das Herunterladen ist bei ${part} abgebrochen (${reason}). Prüfen Sie die Verbindung und zeichnen Sie noch einmal: Was angekommen ist, bleibt gespeichert.`,
  damaged: (part) =>
    `Beim Laden des Modells oder des Rechenwerks kam etwas beschädigt an und wurde abgelehnt, bei ${part} (die SHA-256 ist nicht die des Katalogs). Zeichnen Sie noch einmal, dann wird es neu geladen. Wird es wieder abgelehnt, ist die Kopie auf dem Server beschädigt, und der Betreiber muss die Seite neu hochladen.`,
  catalogueMissing: (address, reason) =>
    `Die Liste der Modelle, ${address}, konnte nicht geladen werden (${reason}). Prüfen Sie die Verbindung und laden Sie die Seite neu. Bleibt es so, muss der Betreiber die Seite neu hochladen.`,
  catalogueInvalid: (path, expected) =>
    `Die catalogue.json dieser Seite ist ungültig: ${path} müsste sein: ${expected}. Der Betreiber muss die Seite neu bauen.`,
  modelInvalid: (file, reason) =>
    `${file} ist nicht zu gebrauchen: ${reason}. Wählen Sie eine andere Auflösung oder andere Gewichte. Der Betreiber der Seite muss dieses Modell neu umwandeln.`,
  noDrawing: () =>
    'Dieses Modell ergibt keine brauchbare Zeichnung. Wählen Sie eine andere Auflösung oder andere Gewichte.',
  backendNotStarted: (backend, reason) =>
    `${backend} ließ sich hier nicht starten (${reason}). Wählen Sie etwas anderes, das rechnet.`,
  litertFailed: (reason) =>
    `LiteRT kann das hier nicht berechnen (${reason}). Wählen Sie eine kleinere Auflösung, oder TensorFlow.js.`,
  litertInPart: () => 'LiteRT kann nicht das ganze Modell auf diesem Grafikchip berechnen',
  noNumbers: () => 'der Grafikchip gab keine brauchbaren Zahlen zurück',
  webglLost: () => 'der WebGL-Kontext ging verloren',
  webglError: (error) => `WebGL meldete den Fehler ${error}`,
  wrongResults: (backend, distance) =>
    `Der Grafikchip dieses Geräts rechnet mit ${backend} falsch (${distance} vom richtigen Ergebnis entfernt). Wählen Sie unter „Erweitert“ etwas anderes.`,
  wrongValues: (backend) =>
    `Der Grafikchip dieses Geräts rechnet mit ${backend} falsch (was er liefert, sind keine Zahlen). Wählen Sie unter „Erweitert“ etwas anderes.`,
  noWebgpu: () => 'dieser Browser bietet kein WebGPU',
  noWebgl: () => 'dieser Browser bietet im Hintergrund kein WebGL 2',
  noFloats: () => 'dieser Grafikchip kann nicht mit 32-Bit-Gleitkommazahlen rechnen',
  noWasm: () => 'dieser Browser führt kein WebAssembly aus',
  notHeld: (model, engine) => `diese Seite hat ${model} nicht für ${engine}`,
  pieceTooLarge: (backend, limit, side) =>
    `${backend} nimmt hier höchstens ${bytes(limit)} am Stück, zu wenig für ${side} × ${side}`,
  memoryTooSmall: (model, side, needed, budget) =>
    `${model} braucht bei ${side} × ${side} etwa ${bytes(needed)} Grafikspeicher, und hier ist mit etwa ${bytes(budget)} zu rechnen`,
  litertTooSmall: (model, side, needed, room) =>
    `${model} braucht mit LiteRT bei ${side} × ${side} etwa ${bytes(needed)}, und LiteRT hat Platz für ${bytes(room)}`,
  facesStopped: (reason) => `Die Suche nach Gesichtern ist abgebrochen (${reason}).`,
  facesEnded: () => 'Die Suche nach Gesichtern wurde beendet.',
  codeMissing: () => 'ihr Programm konnte nicht geladen werden',
};

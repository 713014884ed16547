import { numbersIn } from '../numbers';
import type { Words } from '../words';

const { seconds } = numbersIn('de', { seconds: ' s', minutes: ' min' });

export const many: Words['many'] = {
  title: (photos) => `${photos} Fotos`,
  back: (photos) => `Zurück zu den ${photos} Fotos`,
  draw: (left, all) => {
    if (left === all) return `Alle ${all} zeichnen`;
    return left === 1 ? 'Das letzte zeichnen' : `Die anderen ${left} zeichnen`;
  },
  count: (drawn, failed, all) =>
    `${drawn} von ${all} gezeichnet${failed > 0 ? `, bei ${failed} ging es nicht` : ''}.`,
  turn: (number, all, left) => `Foto ${number} von ${all}${left === null ? '' : `, noch etwa ${seconds(left)}`}.`,
  begun: (photos) => (photos === 1 ? 'Es wird 1 Foto gezeichnet.' : `Es werden ${photos} Fotos gezeichnet.`),
  stopped: (drawn, all) => `Abgebrochen. ${drawn} von ${all} Fotos sind gezeichnet.`,
  open: (name) => `${name} öffnen`,
  notDrawn: 'nicht gezeichnet',
  noFaces: 'Gesichter konnten nicht gesucht werden. Darum wurde die Mitte dieser Fotos gezeichnet.',
  isVideo: (name) => `${name} ist ein Video. Öffnen Sie es allein, um es zu zeichnen.`,
  isNoImage: (name) => `${name} lässt sich hier nicht als Bild lesen.`,
  failed: (name, reason) => `${name}: ${reason}`,
};

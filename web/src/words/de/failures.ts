import type { Words } from '../words';

export const failures: Words['failures'] = {
  insecure:
    'Was diese Seite braucht, erlauben Browser nur über https:// oder auf localhost. Öffnen Sie sie unter einer solchen Adresse.',
  forbidden: (directive, source) =>
    `Der Server dieser Seite verbietet, was sie braucht: Seiner Content-Security-Policy fehlt ${source} in ${directive}. Der Betreiber der Seite muss das ergänzen.`,
  cameraDenied:
    'Die Kamera ist nicht erlaubt. Erlauben Sie sie in den Einstellungen des Browsers für diese Seite, oder wählen Sie ein Foto.',
  noCamera: 'Es wurde keine Kamera gefunden. Schließen Sie eine an, oder wählen Sie ein Foto.',
  cameraInUse:
    'Die Kamera wird gerade anderswo benutzt. Schließen Sie das andere Programm und versuchen Sie es noch einmal, oder wählen Sie ein Foto.',
  cameraFailed: 'Die Kamera ließ sich nicht starten. Wählen Sie stattdessen ein Foto.',
  otherHost: (name, host) =>
    `${host} ist nicht zu erreichen oder lässt andere Seiten ${name} nicht lesen. Speichern Sie das Bild dort, oder kopieren Sie das Bild selbst, und öffnen Sie es hier.`,
  addressFailed: (name, reason) =>
    `${name} konnte nicht geladen werden (${reason}). Prüfen Sie die Adresse, oder wählen Sie eine Datei.`,
  addressDamaged: 'Die eingefügte data:-Adresse ist beschädigt. Kopieren Sie sie noch einmal.',
  sampleFailed: (name) =>
    `Das Beispiel „${name}“ konnte nicht geladen werden. Prüfen Sie die Verbindung, oder wählen Sie ein eigenes Foto.`,
  copyRefused: 'Dieser Browser ließ das Kopieren der Zeichnung nicht zu. Laden Sie sie stattdessen herunter.',
  notHandedOver: (reason) => `Das Bild konnte nicht übergeben werden: ${reason}`,
  sharesNoPictures: 'Dieser Browser teilt keine Bilder. Speichern Sie es stattdessen.',
  wouldNotFit: (reason) =>
    `${reason}. Stattdessen kann der Prozessor zeichnen, oder es geht mit einer kleineren Auflösung.`,
  drawOnProcessor: 'Mit dem Prozessor zeichnen',
  tryAnyway: 'Trotzdem versuchen',
  partMissing:
    'Ein Teil dieser Seite konnte nicht geladen werden. Prüfen Sie die Verbindung und öffnen Sie die Dateien noch einmal.',
  notEncoded: 'Die Zeichnung ließ sich nicht in eine Datei schreiben.',
  emptyFolder: 'In diesem Ordner ist keine Datei. Legen Sie einen mit Fotos hier ab.',
  folderUnreadable: (name) =>
    `Der Ordner ${name} lässt sich nicht lesen. Legen Sie stattdessen seine Fotos hier ab.`,
  chooseSmaller: (reason) =>
    `${reason}. Wählen Sie unter „Erweitert“ Ihren Prozessor oder eine kleinere Auflösung.`,
  videosUnsupported:
    'Dieser Browser kann keine Videos schreiben (ihm fehlt WebCodecs), also auch keine zeichnen. Chrome, Edge, Safari und Firefox auf einem Computer können es.',
  noVideoEncoder:
    'Dieser Browser kann kein Video dieser Größe schreiben. Versuchen Sie es mit einem kleineren Video oder einem anderen Browser.',
  videoUnreadable: (name) =>
    `${name} lässt sich hier nicht als Video lesen. Wählen Sie eine MP4-, MOV-, WebM- oder MKV-Datei.`,
  videoUndecodable: (name, codec) =>
    `Dieser Browser kann ${name}${codec === null ? '' : ` (${codec})`} nicht dekodieren. Speichern Sie es als H.264 oder VP9 und öffnen Sie das.`,
};

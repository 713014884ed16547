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
};

/**
 * The page: it takes a photo and makes a drawing.
 *
 * What tests can rely on, besides the ids in index.html (repeated as data-testid):
 * - ?model=&resolution=&dtype=&backend= in the address preselect. Values that the site does not have are ignored.
 * - <html data-state> is "starting", "ready", "drawing" or "failed".
 * - <html data-timing> holds JSON about the last drawing: download_ms, load_ms, warmup_ms, run_ms, decode_ms,
 *   preprocess_ms, postprocess_ms, backend, threads, tensors, bytes_fetched.
 * - window gets a `drawing` event after each drawing, except for live ones. Its detail contains d0: see DrawingDetail
 *   in drawing/announce.ts.
 * - #next-face and the buttons of class `face` put the frame around another face of the photo.
 * - #crop-frame has the part to draw in pixels of the photo: data-x, data-y, data-width, data-height.
 * - #error has data-code, an ErrorCode. #use-wasm and #draw-anyway appear in it when a drawing would not fit.
 * - <html data-view> is "one", "many" or "video": what fills the page.
 * - With ?debug in the address, window.page.loseContext() really loses the worker's GPU context.
 */
import { NO_STORAGE, Speeds } from '../lib/choice/speed';
import { asU2NetError } from '../lib/errors';
import { FaceFinder } from '../lib/faces/finder';
import { FileStore } from '../lib/site/file_store';
import { readCatalogue } from '../lib/site/read_catalogue';
import { WorkerClient } from '../lib/worker/client';
import { allFiles, type Catalogue } from '../lib/site/catalogue';
import { Activity } from './activity/activity';
import { noteRefusal, watchPolicy } from './activity/policy';
import { Desk } from './desk';
import { byId } from './dom';
import { Artist } from './drawing/artist';
import { sweepShelves } from './many/sweep';
import { listenForPhotos } from './photo/intake';
import { offerSamples } from './photo/samples';
import { Remembered } from './settings/remembered';
import { Settings } from './settings/settings';
import { products } from './settings/words';
import { chooseLanguage } from './words/language_choice';
import { Failure, onLanguage, words, write } from './words/words';
import { inspect } from '../lib/choice/inspect';

byId('unstarted', HTMLElement).hidden = true;
watchPolicy();
const { dataset } = document.documentElement;
const activity = new Activity();
const desk = start();
// Photos may come before the page is ready. They wait. If it does not become ready, that is said below.
const whenReady = (act: (ready: Desk) => Promise<void>) => void desk.then(act, () => {});
listenForPhotos(
  (file, name) => whenReady((ready) => ready.open(file, name)),
  (files) => whenReady((ready) => ready.openMany(files)),
  (name) => activity.done(words.talk.fetching(name)),
  (error) => activity.fail(error),
);
desk.then(
  () => {
    dataset['state'] = 'ready';
    activity.done(words.talk.ready);
  },
  (cause: unknown) => {
    dataset['state'] = 'failed';
    activity.fail(asU2NetError(cause));
    disableAll();
  },
);

async function start(): Promise<Desk> {
  dataset['state'] = 'starting';
  const storage = openStorage();
  const spoken = chooseLanguage(storage);
  if (!isSecureContext) {
    throw new Failure('insecure-origin', () => words.failures.insecure);
  }
  const base = new URL(named('catalogue'), location.href);
  const store = new FileStore(base);
  const client = new WorkerClient(startWorker);
  client.onRefusal = noteRefusal;
  const [catalogue, machine] = await Promise.all([readCatalogue(base), inspect(client, new Speeds(storage)), spoken]);
  entitle(catalogue);
  const parameters = new URLSearchParams(location.search);
  const settings = new Settings(catalogue, machine, store, new Remembered(storage), {
    model: parameters.get('model'),
    resolution: parameters.get('resolution'),
    dtype: parameters.get('dtype'),
    backend: parameters.get('backend'),
  });
  const artist = new Artist(client, settings, base, activity);
  const desk = new Desk(artist, settings, activity, new FaceFinder(startFaceWorker));
  // It is loaded when there is something to finish.
  const finish = () =>
    void import('./export/export_panel').then(({ ExportPanel }) => new ExportPanel((error) => activity.fail(error)));
  window.addEventListener('drawing', finish, { once: true });
  offerSamples(
    catalogue.samples,
    base,
    (file, name) => void desk.open(file, name),
    (error) => activity.fail(error),
  );
  if (parameters.has('debug')) Object.assign(window, { page: { loseContext: () => client.loseContext() } });
  void store.keepOnly(allFiles(catalogue));
  // What cannot be swept now, a later visit sweeps.
  void sweepShelves().catch(() => {});
  // It fetches the rest of the page, for offline use. Before the first drawing, that would only delay it.
  if (import.meta.env.PROD) {
    addEventListener('drawing', () => void navigator.serviceWorker?.register(named('service-worker')).catch(() => {}), {
      once: true,
    });
  }
  return desk;
}

/** Says in the title what this site's models make. */
function entitle({ models }: Catalogue): void {
  const entitle = () => (document.title = words.talk.title(products(models)));
  onLanguage(entitle);
  entitle();
  write(byId('tagline', HTMLElement), () => words.talk.tagline(products(models)));
}

/** Without a catalogue nothing can work. */
function disableAll(): void {
  for (const control of document.querySelectorAll<HTMLInputElement>('button, input, select:not(#language)')) control.disabled = true;
  byId('drop-zone', HTMLElement).inert = true;
}

/** The worker of this build of the page. */
function startWorker(): Worker {
  return new Worker(new URL('../lib/worker/worker.ts', import.meta.url), { type: 'module' });
}

/** The worker that finds faces. */
function startFaceWorker(): Worker {
  return new Worker(new URL('../lib/faces/find_faces.ts', import.meta.url), { type: 'module' });
}

/** A file that index.html names in a meta element. */
function named(file: string): string {
  return document.querySelector<HTMLMetaElement>(`meta[name="${file}"]`)!.content;
}

/** The browser's storage, or a substitute that stores nothing if the browser's settings forbid storage. */
function openStorage(): Pick<Storage, 'getItem' | 'setItem'> {
  try {
    return localStorage;
  } catch {
    return NO_STORAGE;
  }
}

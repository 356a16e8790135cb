// @ts-check
/** The start page of the installed program: prepares the tablet for work without a signal, and says how it stands. */
import { all, drafts } from './outbox.js';
import { fill } from './parts.js';
import { remember, remembered } from './remember.js';

/** @typedef {{at: number, forms: number, bytes: number}} Prepared when everything was kept last, how many surveys */
const $ = (/** @type {string} */ selector) => /** @type {any} */ (document.querySelector(selector));
/** @type {any} what Chromium gives to ask for installing */
let offer;

/** Shows what is named, hides its neighbours. @param {string} group @param {string} name */
function say(group, name) {
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(`[data-${group}]`))) {
    part.hidden = part.dataset[group] !== name;
  }
}

/** @returns {Promise<Prepared | undefined>} */
const prepared = () => remembered('prepared');

/** @param {string} address @param {string} cacheName @param {RequestCache} cache @returns {Promise<number>} its bytes */
async function keep(address, cacheName, cache) {
  const store = await caches.open(cacheName);
  const held = cache === 'default' && await store.match(address);
  const answer = held || await fetch(address, { cache });
  if (!answer.ok || answer.headers.get('X-Collector') !== '1') throw new Error(address);
  if (!held) await store.put(address, answer.clone());
  return (await answer.arrayBuffer()).byteLength;
}

/** Fetches all that the service worker has to have. Rejects when something cannot be had: nothing kept is taken away. */
async function prepare() {
  const answer = await fetch('/app/lista.json', { cache: 'no-store' });
  if (!answer.ok || answer.headers.get('X-Collector') !== '1') throw new Error('not ours');
  const { version, pages, media, program } = await answer.json();
  /** @type {[string, string, RequestCache][]} pages anew, files only when they are not here: theirs never change */
  const jobs = [...program.map((/** @type {string} */ path) => [path, 'files-' + version, 'default']),
    ...media.map((/** @type {string} */ path) => [path, 'media', 'default']),
    ...pages.map((/** @type {string} */ path) => [path, 'pages', 'reload'])];
  let bytes = 0;
  for (const [done, job] of jobs.entries()) {
    fill('percent', Math.floor(100 * done / jobs.length));
    bytes += await keep(...job);
  }
  const forms = pages.filter((/** @type {string} */ path) => path.startsWith('/k/')).length;
  await remember('prepared', { at: Date.now(), forms, bytes });
}

async function run() {
  say('ready', 'working');
  try {
    await (navigator.serviceWorker.controller || navigator.serviceWorker.ready);
    await prepare();
    if (navigator.storage && navigator.storage.persist) await navigator.storage.persist();
  } catch (error) {
    say('ready', 'failed');
    return;
  }
  await tell();
}

/** Says how the tablet stands. */
async function tell() {
  const facts = await prepared().catch(() => undefined);
  if (!isSecureContext || !('serviceWorker' in navigator)) say('ready', 'insecure');
  else say('ready', facts ? 'yes' : 'no');
  if (facts) {
    fill('forms', facts.forms);
    fill('kilobytes', Math.ceil(facts.bytes / 1000));
    fill('when', new Date(facts.at).toLocaleString(document.documentElement.lang, { dateStyle: 'medium', timeStyle: 'short' }));
  }
  const isKept = navigator.storage && navigator.storage.persisted && await navigator.storage.persisted();
  say('persist', facts ? (isKept ? 'kept' : 'loose') : '');
  count();
}

async function count() {
  const waiting = (await all().catch(() => [])).filter((entry) => entry.body).length;
  const begun = (await drafts().catch(() => [])).length;
  fill('waiting', waiting);
  fill('begun', begun);
}

/** How it can be installed here: asked for, done already, or by hand. */
function sayInstalling() {
  const isInstalled = matchMedia('(display-mode: standalone)').matches;
  say('install', isInstalled ? 'done' : offer ? 'ask' : 'hand');
}

addEventListener('beforeinstallprompt', (event) => {
  event.preventDefault();
  offer = event;
  sayInstalling();
});
addEventListener('appinstalled', () => say('install', 'done'));
addEventListener('outbox:changed', count);
$('[data-ask]').addEventListener('click', () => offer.prompt());
document.querySelectorAll('[data-prepare]').forEach((button) => button.addEventListener('click', run));
sayInstalling();
// a tablet that was prepared once stays so: new surveys and versions come down whenever there is a signal
tell().then(prepared).then((facts) => (facts && isSecureContext ? prepare().then(tell) : undefined)).catch(() => 0);

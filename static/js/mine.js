// @ts-check
/** "Mis respuestas" and the receipt: how far each record of this browser came. */
import { all, drain } from './outbox.js';

/** @typedef {import('./outbox.js').Entry} Entry */
const STEPS = ['saved', 'sent', 'central'];

/**
 * How far a record came with all its files: 0 saved here, 1 sent, 2 in central.
 * @param {Entry} entry @param {number} missing bytes of its files that the node does not have
 */
function reached(entry, missing) {
  const at = entry.state === 'central' ? 2 : /saved|stopped/.test(entry.state) ? 0 : 1;
  return entry.blobs ? Math.min(at, missing ? 0 : 1) : at;
}

/** @param {Entry} entry @returns {Promise<number>} */
const missingOf = async (entry) => (entry.blobs ? import('./files.js').then((files) => files.missingBytes(entry.blobs)).catch(() => 0) : 0);

/** Says how many kB of files wait, in the sentence that the page brings. @param {ParentNode} place @param {number} missing */
function sayFiles(place, missing) {
  const line = /** @type {HTMLElement | null} */ (place.querySelector('[data-files]'));
  if (!line) return;
  line.hidden = !missing;
  line.textContent = (line.dataset.files || '').replace('{kb}', String(Math.ceil(missing / 1000)));
}

/** @param {number | undefined} ms @returns {string} */
const clock = (ms) => (ms ? new Date(ms).toLocaleString(document.documentElement.lang || 'es',
  { weekday: 'short', hour: '2-digit', minute: '2-digit' }) : '');

/** Keeps the receipt of one record true. @param {string} id */
export function follow(id) {
  const tell = async () => {
    const place = /** @type {HTMLElement | null} */ (document.querySelector(`[data-record="${id}"]`));
    const entry = (await all()).find((one) => one.id === id);
    if (place && entry) draw(place, entry, await missingOf(entry));
    return place;
  };
  const first = async () => {
    const place = await tell();
    const title = place && /** @type {HTMLElement} */ (place.querySelector('h1:not([hidden])'));
    // the receipt may not stand in the page yet
    if (title) title.focus();
    else setTimeout(first, 50);
  };
  addEventListener('outbox:changed', tell);
  addEventListener('files:changed', tell);
  first();
}

/** @param {HTMLElement} place @param {Entry} entry @param {number} missing */
function draw(place, entry, missing) {
  const at = reached(entry, missing);
  sayFiles(place, missing);
  STEPS.forEach((step, n) => {
    const line = place.querySelector(`[data-step=${step}]`);
    if (!line) return;
    line.className = n <= at ? 'done' : 'wait';
    const time = line.querySelector('[data-time]');
    const when = /** @type {any} */ (entry)[step];
    if (time && when && n <= at) time.textContent = clock(when);
  });
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (place.querySelectorAll('[data-when]'))) {
    part.hidden = part.dataset.when !== STEPS[at];
  }
}

export function start() {
  const again = document.querySelector('[data-again]');
  if (again) again.addEventListener('click', () => drain());
  const file = document.querySelector('[data-export]');
  if (file) file.addEventListener('click', exportWaiting);
  addEventListener('outbox:changed', list);
  addEventListener('files:changed', list);
  addEventListener('node:down', () => signal(false));
  addEventListener('node:up', () => signal(true));
  list();
}

/** @param {boolean} up */
function signal(up) {
  const banner = /** @type {HTMLElement | null} */ (document.querySelector('[data-signal]'));
  if (banner) banner.hidden = up;
}

async function list() {
  const found = await all().catch(() => null);
  const entries = (found || []).reverse();
  const place = /** @type {HTMLElement} */ (document.querySelector('[data-outbox]'));
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById('entry'));
  const missing = await Promise.all(entries.map(missingOf));
  place.replaceChildren(...entries.map((entry, n) => row(template, entry, missing[n])));
  const waiting = entries.filter((entry, n) => entry.state === 'saved' || missing[n]).length;
  const isStopped = entries.some((entry) => entry.state === 'stopped');
  const say = !found ? 'blocked' : !entries.length ? 'none' : isStopped ? 'help' : waiting ? 'waiting' : 'sent';
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-say]'))) {
    part.hidden = part.dataset.say !== say;
    for (const count of part.querySelectorAll('[data-count]')) count.textContent = String(waiting);
  }
}

/** @param {HTMLTemplateElement} template @param {Entry} entry @param {number} missing @returns {Node} */
function row(template, entry, missing) {
  const line = /** @type {HTMLElement} */ (template.content.cloneNode(true));
  /** @type {Element} */ (line.querySelector('[data-title]')).textContent = entry.title;
  /** @type {Element} */ (line.querySelector('[data-time]')).textContent = clock(entry.saved);
  const state = /** @type {Element} */ (line.querySelector('.state'));
  const word = entry.state === 'stopped' ? 'stopped' : STEPS[reached(entry, missing)];
  sayFiles(line, missing);
  state.className = 'state ' + (word === 'stopped' ? 'stop2' : word);
  for (const place of /** @type {NodeListOf<HTMLElement>} */ (state.querySelectorAll('[data-word]'))) {
    place.hidden = place.dataset.word !== word;
  }
  return line;
}

/** Saves what central does not have yet, for rescue by cable or message: records a line each, their files one by one. */
async function exportWaiting() {
  const entries = await all();
  const waiting = entries.filter((entry) => entry.body);
  const hashes = new Set(entries.flatMap((entry) => entry.blobs || []));
  download([waiting.map((entry) => entry.body).join('\n') + '\n'], 'application/x-ndjson', 'respuestas-pendientes.ndjson');
  if (!hashes.size) return;
  const { readFile } = await import('./files.js');
  for (const sha256 of hashes) {
    const content = await readFile(sha256);
    if (content) download([content], 'application/octet-stream', 'archivo-' + sha256);
  }
}

/** @param {BlobPart[]} parts @param {string} type @param {string} name */
function download(parts, type, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(parts, { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

// @ts-check
/** "Mis respuestas" and the receipt: how far each record of this browser came. */
import { all, drain, isoLocal } from './outbox.js';

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

/** Shows the receipt code, where the record has one. @param {ParentNode} place @param {Entry} entry */
function sayCode(place, entry) {
  const line = /** @type {HTMLElement | null} */ (place.querySelector('[data-code]'));
  if (!line || !entry.code) return;
  line.hidden = false;
  /** @type {Element} */ (line.querySelector('b')).textContent = entry.code;
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
  sayCode(place, entry);
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
  if (file) file.addEventListener('click', saveToFile);
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
  sayCode(line, entry);
  const where = /** @type {HTMLElement | null} */ (line.querySelector('[data-where]'));
  if (where && entry.sent) {
    where.hidden = false;
    /** @type {HTMLAnchorElement} */ (where.querySelector('a')).href += entry.id;
  }
  state.className = 'state ' + (word === 'stopped' ? 'stop2' : word);
  for (const place of /** @type {NodeListOf<HTMLElement>} */ (state.querySelectorAll('[data-word]'))) {
    place.hidden = place.dataset.word !== word;
  }
  return line;
}

// ---- saving to a file, for rescue by cable or message; any node takes it (docs/bundles.md)

const PIECE = 192 * 1024; // a multiple of 3: pieces of base64 without padding in between
const SLICE = 8192; // more arguments than this some browsers do not take

/** Saves what central does not have yet into one file: records a line each, then their files, a piece a line. */
async function saveToFile() {
  const entries = (await all()).filter((entry) => entry.body || entry.blobs);
  /** @type {BlobPart[]} */
  const parts = entries.filter((entry) => entry.body).map((entry) => entry.body + '\n');
  for (const sha256 of new Set(entries.flatMap((entry) => entry.blobs || []))) parts.push(...await fileLines(sha256));
  if (parts.length) download(parts, `mis-respuestas-${isoLocal(new Date()).slice(0, 10)}.ndjson`);
}

/** The lines of one file of an answer; none when its bytes are not here. @param {string} sha256 @returns {Promise<Blob[]>} */
async function fileLines(sha256) {
  const { readFile } = await import('./files.js');
  const content = await readFile(sha256);
  const lines = [];
  for (let at = 0; content && at < content.byteLength; at += PIECE) {
    const piece = base64(new Uint8Array(content, at, Math.min(PIECE, content.byteLength - at)));
    // a Blob each: the browser may put it on its disk, a text it would have to hold
    lines.push(new Blob([`{"blob":"${sha256}","at":${at},"content":"${piece}"}\n`]));
  }
  return lines;
}

/** @param {Uint8Array} bytes @returns {string} */
function base64(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += SLICE) text += String.fromCharCode(...bytes.subarray(at, at + SLICE));
  return btoa(text);
}

/** @param {BlobPart[]} parts @param {string} name */
function download(parts, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(parts, { type: 'application/x-ndjson' }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
